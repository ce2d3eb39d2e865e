/** A page: its title, also of the browser tab, its actions, and its content. */
import { safe } from '@imapfleet/api'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { path } from '../router/location.ts'

interface PageProps {
  title: string
  /** A sentence on its purpose. */
  about?: ComponentChildren
  actions?: ComponentChildren
  /** Uses the whole width of the window. */
  isWide?: boolean
  children: ComponentChildren
}

/** The last path. After a change the title gets the focus, so that screen readers announce the page. */
let last: string | undefined

export function Page({ title, about, actions, isWide = false, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = safe(`${title} · imapfleet`)
  }, [title])
  useEffect(() => {
    if (last !== undefined && last !== path.value) {
      heading.current?.focus({ preventScroll: true })
      window.scrollTo(0, 0)
    }
    last = path.value
  }, [path.value])
  return (
    <div class={isWide ? 'page wide' : 'page'}>
      <div class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {about !== undefined && <p>{about}</p>}
        </div>
        {actions !== undefined && <div class="row">{actions}</div>}
      </div>
      {children}
    </div>
  )
}
