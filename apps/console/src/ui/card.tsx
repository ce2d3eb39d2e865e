/** A section of a page with a title. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface CardProps {
  title: ComponentChildren
  about?: ComponentChildren
  actions?: ComponentChildren
  children: ComponentChildren
}

export function Card({ title, about, actions, children }: CardProps) {
  const heading = useId()
  return (
    <section class="card" aria-labelledby={heading}>
      <div class="card-head">
        <div>
          <h2 id={heading}>{title}</h2>
          {about !== undefined && <p>{about}</p>}
        </div>
        {actions !== undefined && <div class="row">{actions}</div>}
      </div>
      {children}
    </section>
  )
}
