/** Results of actions, in the corner. Good news disappears automatically, bad news when it is closed. */
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'

interface Toast {
  number: number
  tone: 'good' | 'bad'
  children: ComponentChildren
}

const toasts = signal<readonly Toast[]>([])
let last = 0
const shownMs = 8_000

export function tell(tone: Toast['tone'], children: ComponentChildren): void {
  const number = ++last
  toasts.value = [...toasts.value, { number, tone, children }]
  if (tone === 'good') setTimeout(() => dismiss(number), shownMs)
}

const dismiss = (number: number) => (toasts.value = toasts.value.filter((toast) => toast.number !== number))

export const Toasts = () => (
  <div class="toasts" role="status" aria-live="polite">
    {toasts.value.map(({ number, tone, children }) => (
      <div key={number} class={`toast ${tone}`}>
        <div>{children}</div>
        <button type="button" class="button quiet small" onClick={() => dismiss(number)}>
          Close
        </button>
      </div>
    ))}
  </div>
)
