/** What the screen of the fleet shows: order, region, filter and position, and the keys that change them. */
import type { LiveEdge } from '@imapfleet/api'

/** Columns to sort by, and their keys. */
export const sortings = {
  problems: { key: 'p', value: (edge) => severityOf(edge) },
  edge: { key: 'n', value: undefined },
  sessions: { key: 's', value: (edge) => edge.sessionsPerSecond },
  reuse: { key: 'r', value: (edge) => edge.reuseRatio },
  active: { key: 'a', value: (edge) => edge.active },
  cached: { key: 'c', value: (edge) => edge.cached },
  errors: { key: 'e', value: (edge) => edge.errorsPerSecond },
  login: { key: 'l', value: (edge) => edge.loginP50Ms },
} satisfies Record<string, { key: string; value: ((edge: LiveEdge) => number | null) | undefined }>
export type Sorting = keyof typeof sortings

/** 2: at least one bad problem. */
const severityOf = ({ problems }: LiveEdge): number =>
  problems.some(({ severity }) => severity === 'bad') ? 2 : problems.length > 0 ? 1 : 0

export interface ScreenChoice {
  sorting: Sorting
  /** Undefined: all regions. */
  region: string | undefined
  /** Words that an edge must have. */
  filter: string
  /** The filter is being typed. */
  isTyping: boolean
  /** Index of the first edge on the screen. */
  top: number
  isHelp: boolean
}

export const firstChoice = (sorting: Sorting): ScreenChoice => ({
  ...{ sorting, region: undefined, filter: '', isTyping: false, top: 0, isHelp: false },
})

/** Highest first, edges without a value last. `edge` sorts by region and id. */
export function sorted(edges: readonly LiveEdge[], sorting: Sorting): LiveEdge[] {
  const { value } = sortings[sorting]
  const byName = (a: LiveEdge, b: LiveEdge) => compare(a.region, b.region) || compare(a.id, b.id)
  if (!value) return edges.toSorted(byName)
  return edges.toSorted((a, b) => (value(b) ?? -Infinity) - (value(a) ?? -Infinity) || byName(a, b))
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Whether each word of the filter is in the id, the region, the state or a problem. */
export function isMatching({ id, region, state, problems }: LiveEdge, filter: string): boolean {
  const text = [id, region, state, ...problems.map((problem) => problem.text)].join(' ').toLowerCase()
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

const filterMax = 60

/**
 * Carries out a key.
 * @param visible how many edges fit on the screen
 * @returns whether the key has a meaning here
 */
export function press(
  choice: ScreenChoice,
  key: string,
  { edges, visible }: { edges: readonly LiveEdge[]; visible: number },
): boolean {
  if (choice.isHelp) {
    choice.isHelp = false
    return true
  }
  if (choice.isTyping) return typeFilter(choice, key)
  const moved = movedTo(choice.top, key, visible, edges.length)
  if (moved !== undefined) choice.top = moved
  else if (key === '/') choice.isTyping = true
  else if (key === 'escape') choice.filter = ''
  else if (key === '?' || key === 'h') choice.isHelp = true
  else if (key === 'g') choice.region = nextRegion(choice.region, edges)
  else {
    const sorting = (Object.keys(sortings) as Sorting[]).find((name) => sortings[name].key === key)
    if (sorting === undefined) return false
    choice.sorting = sorting
  }
  if (moved === undefined && key !== '?' && key !== 'h') choice.top = 0
  return true
}

function typeFilter(choice: ScreenChoice, key: string): boolean {
  if (key === 'enter') choice.isTyping = false
  else if (key === 'escape') Object.assign(choice, { isTyping: false, filter: '' })
  else if (key === 'backspace') choice.filter = choice.filter.slice(0, -1)
  else if (key === 'ctrl-u') choice.filter = ''
  else if (/^.$/u.test(key) && choice.filter.length < filterMax) choice.filter += key
  choice.top = 0
  return true
}

/** The new position; it may be beyond the end. Undefined: the key does not scroll. */
function movedTo(top: number, key: string, visible: number, count: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ...{ up: -1, k: -1, down: 1, j: 1, home: -Infinity },
    ...{ 'page-up': -visible, b: -visible, 'page-down': visible, ' ': visible, end: Infinity },
  }
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined
  return step === undefined ? undefined : Math.max(0, Math.min(count, top + step))
}

function nextRegion(region: string | undefined, edges: readonly LiveEdge[]): string | undefined {
  const regions = [undefined, ...[...new Set(edges.map((edge) => edge.region))].sort()]
  return regions[(regions.indexOf(region) + 1) % regions.length]
}
