/** A highlighted sentence. */
import type { ComponentChildren } from 'preact'

export const Note = ({ tone, children }: { tone: 'good' | 'warn' | 'bad'; children: ComponentChildren }) => (
  <p class={`note ${tone}`}>{children}</p>
)
