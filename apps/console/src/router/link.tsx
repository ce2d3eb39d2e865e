/** A link within the console, which does not reload the page. */
import type { ComponentProps } from 'preact'
import { navigate } from './location.ts'

export function PageLink({ href, onClick, ...rest }: ComponentProps<'a'> & { href: string }) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        onClick?.(event)
        const plain =
          event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
        if (!plain || event.defaultPrevented) return
        event.preventDefault()
        navigate(href)
      }}
    />
  )
}
