/** Lets control check a draft while the user types, unless the configuration has changed. */
import type { LayerName, RevisionStatus } from '@imapfleet/api'
import { useEffect } from 'preact/hooks'
import { ProblemError } from '@imapfleet/client'
import { call } from '../api/client.ts'
import { useCheck, type Check } from '../api/use-check.ts'
import { revisionRequestOf } from './draft.ts'
import type { Draft } from './drafts.ts'

export interface DraftCheck {
  request: ReturnType<typeof revisionRequestOf>
  /** The draft is not complete enough to check. */
  isEmpty: boolean
  /** A revision newer than the base of the draft exists. */
  isLost: boolean
  /** Control has just reported a conflict; `newest` will show the revision. */
  isConflict: boolean
  check: Check<RevisionStatus>
  /** The mistake in the value of a key. */
  wrong: (key: string) => string | undefined
}

export function useDraftCheck(
  layer: LayerName,
  { base, changes }: Draft,
  newest: number,
  onNewer: () => void,
): DraftCheck {
  const request = revisionRequestOf(changes)
  const isEmpty = Object.keys(request.set ?? {}).length + (request.unset?.length ?? 0) === 0
  const isLost = newest > base
  const check = useCheck(isEmpty || isLost ? undefined : JSON.stringify([base, request]), (signal) =>
    call('writeRevision', { body: { layer, base, ...request, dryRun: true }, signal }),
  )
  const isConflict = isLostRace(check.problem)
  useEffect(() => {
    if (isConflict) onNewer()
  }, [isConflict])

  const wrong = (key: string) =>
    check.problem instanceof ProblemError
      ? check.problem.problems.find((problem) => problem.key === key)?.message
      : undefined
  return { request, isEmpty, isLost, isConflict, check, wrong }
}

export const isLostRace = (error: unknown): boolean =>
  error instanceof ProblemError && error.code === 'config_conflict'
