/** Draws an answer of control. Before it, or instead of it, draws why there is none. Old data stays visible. */
import type { ComponentChildren } from 'preact'
import { outage } from '../api/outage.ts'
import type { AnswerState } from '../api/use-answer.ts'
import { Empty, Failed, Loading } from './state.tsx'

export function Answered<Data>({
  answer,
  children,
}: {
  answer: Pick<AnswerState<Data>, 'data' | 'problem' | 'reload'>
  children: (data: Data) => ComponentChildren
}) {
  if (answer.data !== undefined) return <>{children(answer.data)}</>
  // The banner shows the reason. The page continues automatically.
  if (answer.problem && outage.value) return <Empty title="Not loaded yet" />
  if (answer.problem) return <Failed problem={answer.problem} onRetry={answer.reload} />
  return <Loading />
}
