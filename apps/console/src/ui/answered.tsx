/** Draws an answer of control. Before it, or instead of it, draws why there is none. Old data stays visible. */
import type { ComponentChildren } from 'preact'
import type { AnswerState } from '../api/use-answer.ts'
import { Failed, Loading } from './state.tsx'

export function Answered<Data>({
  answer,
  children,
}: {
  answer: Pick<AnswerState<Data>, 'data' | 'problem' | 'reload'>
  children: (data: Data) => ComponentChildren
}) {
  if (answer.data !== undefined) return <>{children(answer.data)}</>
  if (answer.problem) return <Failed problem={answer.problem} onRetry={answer.reload} />
  return <Loading />
}
