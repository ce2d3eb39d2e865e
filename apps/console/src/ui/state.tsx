/** Placeholders for data: empty, loading, or failed. */
import type { ComponentChildren } from 'preact'
import { sentenceOf } from '../api/client.ts'

/** `children` say what to do. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="state">
    <strong>{title}</strong>
    {children !== undefined && <p>{children}</p>}
  </div>
)

export const Loading = () => (
  <div class="state" role="status">
    Loading …
  </div>
)

export const Failed = ({ problem, onRetry }: { problem: unknown; onRetry?: () => void }) => (
  <div class="state" role="alert">
    <strong>Loading failed</strong>
    <p>{sentenceOf(problem)}</p>
    {onRetry && (
      <button type="button" class="button" onClick={onRetry}>
        Try again
      </button>
    )}
  </div>
)
