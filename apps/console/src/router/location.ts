/** The address of the console, as signals. */
import { signal } from '@preact/signals'

export const path = signal(location.pathname)
export const search = signal(new URLSearchParams(location.search))

const read = () => {
  path.value = location.pathname
  search.value = new URLSearchParams(location.search)
}

window.addEventListener('popstate', read)

export function navigate(to: string): void {
  history.pushState(undefined, '', to)
  read()
}

/** Writes selections of a page into the address, so that a link keeps them. Empty values are left out. */
export function choose(chosen: Readonly<Record<string, string | undefined>>): void {
  const next = new URLSearchParams(search.value)
  for (const [key, value] of Object.entries(chosen)) {
    if (value === undefined || value === '') next.delete(key)
    else next.set(key, value)
  }
  const text = next.toString()
  history.replaceState(undefined, '', `${path.value}${text && '?'}${text}`)
  search.value = next
}
