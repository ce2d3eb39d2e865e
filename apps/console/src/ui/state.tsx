/** Placeholders for data: empty, loading, or failed. */
import type { ComponentChildren } from 'preact'
import { isForbidden, isMissing } from '../api/allowed.ts'
import { sentenceOf } from '../api/client.ts'

/** `children` say what to do. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="state">
    <strong>{title}</strong>
    {children !== undefined && <p>{children}</p>}
  </div>
)

/** A command in such a text, with the punctuation after it. On a narrow screen it has separate lines. */
export const EmptyCommand = ({ text, after }: { text: string; after: string }) => (
  <span class="command">
    <code>{text}</code>
    {after}
  </span>
)

export const Loading = () => (
  <div class="state" role="status">
    Loading …
  </div>
)

export const Failed = ({ problem, onRetry }: { problem: unknown; onRetry?: () => void }) => (
  <div class="state" role="alert">
    <strong>
      {isForbidden(problem) ? 'Not allowed' : isMissing(problem) ? 'Not found' : 'Loading failed'}
    </strong>
    <p>{sentenceOf(problem)}</p>
    {onRetry && !isForbidden(problem) && (
      <button type="button" class="button" onClick={onRetry}>
        Try again
      </button>
    )}
  </div>
)
