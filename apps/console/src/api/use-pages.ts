/** A list with the newest first, page by page. */
import { useEffect, useState } from 'preact/hooks'
import { useAnswer, type AnswerState } from './use-answer.ts'

/** The query of a page. `before` is the `next` of the page before it. */
interface ListPage<Cursor> {
  limit: number
  before?: Cursor | undefined
}

export interface Pages<Row> extends Pick<AnswerState<unknown>, 'problem' | 'reload'> {
  /** Undefined until the first page has arrived. */
  rows: Row[] | undefined
  /** Undefined if there is no older page. */
  older: (() => void) | undefined
}

const limit = 50

export type LoadPage<Row, Cursor> = (
  page: ListPage<Cursor>,
  signal: AbortSignal,
) => Promise<{ rows: Row[]; next: Cursor | null }>

/** `key`: what the list depends on. `everyMs`: interval at which all visible pages are requested again. */
export function usePages<Row, Cursor extends number | string>(
  key: string,
  load: LoadPage<Row, Cursor>,
  often: { everyMs?: number } = {},
): Pages<Row> {
  const [depth, setDepth] = useState(1)
  useEffect(() => setDepth(1), [key])
  const ask = async (signal: AbortSignal) => {
    const rows: Row[] = []
    let before: Cursor | undefined
    for (let page = 0; page < depth; page++) {
      const loaded = await load({ limit, before }, signal)
      rows.push(...loaded.rows)
      if (loaded.next === null) return { key, rows, more: false }
      before = loaded.next
    }
    return { key, rows, more: true }
  }
  const answer = useAnswer(`${key} ${depth}`, ask, often)
  const [last, setLast] = useState(answer.data)
  if (answer.data !== undefined && answer.data !== last) setLast(answer.data)
  // Earlier pages stay visible while the next one loads.
  const shown = answer.data ?? (last?.key === key ? last : undefined)
  return {
    rows: shown?.rows,
    problem: answer.problem,
    reload: answer.reload,
    older: shown?.more ? () => setDepth((pages) => pages + 1) : undefined,
  }
}
