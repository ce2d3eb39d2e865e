/** Follows the scrolling of the page, and computes which rows of a long table to draw. */
import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { visibleRows, type RowWindow } from './visible-rows.ts'

/** Until a row has been drawn. */
const usualRowHeight = 34

export function useRowWindow(table: RefObject<HTMLTableElement | null>, count: number): RowWindow {
  const [shown, setShown] = useState<RowWindow>(() =>
    visibleRows(count, { top: 0, rowHeight: usualRowHeight, windowHeight: window.innerHeight }),
  )
  useLayoutEffect(() => {
    const place = table.current
    const [before, after] = ['before', 'after'].map((name) =>
      place?.querySelector<HTMLElement>(`:scope > .${name} td`),
    )
    if (!place || !before || !after) return undefined
    const measure = () => {
      const drawn = place.querySelector('.rows tr')?.getBoundingClientRect().height
      const rowHeight = drawn || usualRowHeight
      const top = before.getBoundingClientRect().top
      const next = visibleRows(count, { top, rowHeight, windowHeight: window.innerHeight })
      before.style.height = `${next.first * rowHeight}px`
      after.style.height = `${(count - next.end) * rowHeight}px`
      setShown((last) => (last.first === next.first && last.end === next.end ? last : next))
    }
    measure()
    addEventListener('scroll', measure, { passive: true })
    addEventListener('resize', measure)
    return () => {
      removeEventListener('scroll', measure)
      removeEventListener('resize', measure)
    }
  }, [count])
  // After a filter, until the effect has run.
  return { first: Math.min(shown.first, count), end: Math.min(shown.end, count) }
}
