/** Keys that work on every page: `/` goes to the search field of the page. */

/** The search field of a page has this attribute. */
const searchField = '[data-search]'

/** Returns a function that ends it. */
export function followShortcuts(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    const fields = [...document.querySelectorAll<HTMLInputElement>(searchField)]
    const field = fields.find((each) => each.checkVisibility())
    if (!field) return
    event.preventDefault()
    field.focus()
    field.select()
  }
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null
