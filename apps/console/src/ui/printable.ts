/**
 * Every text of the console is shown on one line, with control characters and marks that change the reading direction escaped:
 * others choose the names of users, and write lines of traces and errors. It happens where elements are made, so that no
 * component can forget it. Values of fields stay as they are.
 */
import { safe } from '@imapfleet/api'
import { options, type ComponentChild } from 'preact'

interface Shown {
  children?: unknown
  title?: unknown
  'aria-label'?: unknown
}

/** A block of text keeps its line breaks. */
const inBlock = (text: string): string => text.split('\n').map(safe).join('\n')

const printable = (child: unknown, print: (text: string) => string): unknown =>
  typeof child === 'string'
    ? print(child)
    : Array.isArray(child)
      ? child.map((each: ComponentChild) => printable(each, print))
      : child

const before = options.vnode?.bind(options)
options.vnode = (vnode) => {
  const props = vnode.props as Shown
  const { children, title, 'aria-label': label } = props
  if (children !== undefined) props.children = printable(children, vnode.type === 'pre' ? inBlock : safe)
  if (typeof vnode.type === 'string') {
    if (typeof title === 'string') props.title = safe(title)
    if (typeof label === 'string') props['aria-label'] = safe(label)
  }
  before?.(vnode)
}
