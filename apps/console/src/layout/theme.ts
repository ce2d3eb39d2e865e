/** Light, dark, or the setting of the system. Stored in this browser. */
import { effect, signal } from '@preact/signals'

export const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'imapfleet-theme'
const isTheme = (text: string | null): text is Theme => (themes as readonly (string | null)[]).includes(text)
const kept = localStorage.getItem(key)

export const theme = signal<Theme>(isTheme(kept) ? kept : 'auto')

effect(() => {
  localStorage.setItem(key, theme.value)
  document.documentElement.dataset['theme'] = theme.value
})
