/** Keys that work on every page: Ctrl-K jumps anywhere, `/` goes to the search field of the page. */
import { openJump } from './jump.tsx'

/** The search field of a page has this attribute. */
const searchField = '[data-search]'

/** Returns a function that ends it. */
export function followShortcuts(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (document.querySelector('dialog[open]') !== null) return
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey
    const isJump = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey
    if (!isJump && !(isPlain && event.key === '/' && !isTyping(event.target))) return
    event.preventDefault()
    const fields = [...document.querySelectorAll<HTMLInputElement>(searchField)]
    const field = fields.find((each) => each.checkVisibility())
    // A page without a search field has `/` for this, too.
    if (isJump || !field) return openJump()
    field.focus()
    field.select()
  }
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}

/** Where a character means something. A choice keeps the focus after a click, and has no text. */
const typed = 'input:not([type=radio], [type=checkbox]), textarea, select, dialog'

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest(typed) !== null
