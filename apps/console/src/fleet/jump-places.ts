/** The targets of Ctrl-K: pages, regions, edges, revisions, and the user whose name is typed. */
import type { EdgeView, RevisionView } from '@imapfleet/api'
import { layerText } from '@imapfleet/api'
import { compareNames } from './compare-names.ts'

export interface JumpPlace {
  kind: 'page' | 'region' | 'edge' | 'revision' | 'user'
  href: string
  title: string
  /** What distinguishes it from others of its kind. */
  remark: string
}

export interface JumpSources {
  /** The pages that the user may open. */
  pages: readonly { href: string; title: string }[]
  edges: readonly Pick<EdgeView, 'id' | 'region' | 'state'>[]
  revisions: readonly Pick<RevisionView, 'revision' | 'layer' | 'note' | 'createdBy'>[]
}

/** More would not be read. */
const shownMax = 12

/** The targets that match the text, best match first. Without a text: the pages. */
export function jumpPlaces(text: string, { pages, edges, revisions }: JumpSources): JumpPlace[] {
  const wanted = text.trim()
  const ofPages = pages.map(({ href, title }) => place('page', href, title, ''))
  if (wanted === '') return ofPages
  const regions = [...new Set(edges.map(({ region }) => region))].sort()
  const all = [
    ...ofPages,
    ...regions.map((name) =>
      place('region', `/?region=${encodeURIComponent(name)}`, name, 'edges of the region'),
    ),
    ...edges.map(({ id, region, state }) =>
      place('edge', `/edges/${encodeURIComponent(id)}`, id, `${region}, ${state}`),
    ),
    ...revisions.map(({ revision, layer, note, createdBy }) =>
      place(
        'revision',
        `/config/${revision}`,
        `Revision ${revision}`,
        `${layerText(layer)}, by ${createdBy}${note === '' ? '' : `: ${note}`}`,
      ),
    ),
  ]
  const found = all
    .flatMap((each) => {
      const rank = rankOf(each, wanted)
      return rank === undefined ? [] : [{ each, rank }]
    })
    .sort((one, other) => one.rank - other.rank || compareNames(one.each.title, other.each.title))
    .map(({ each }) => each)
  const older = olderRevision(wanted, revisions)
  const ofUsers = ofUser(wanted).filter(({ href }) => pages.some((page) => href.startsWith(`${page.href}?`)))
  return [...found.slice(0, shownMax), ...older, ...ofUsers]
}

const place = (kind: JumpPlace['kind'], href: string, title: string, remark: string): JumpPlace => ({
  kind,
  href,
  title,
  remark,
})

/** 0: the title itself, 1: it begins with the text, 2: a part of it, 3: all words occur. Undefined: no match. */
function rankOf({ kind, title, remark }: JumpPlace, text: string): number | undefined {
  const wanted = text.toLowerCase()
  const name = title.toLowerCase()
  if (name === wanted || (kind === 'revision' && name === `revision ${wanted}`)) return 0
  if (name.startsWith(wanted)) return 1
  if (name.includes(wanted)) return 2
  const searched = `${kind} ${name} ${remark}`.toLowerCase()
  return wanted.split(/\s+/).every((word) => searched.includes(word)) ? 3 : undefined
}

/** A revision by its number, if it is not among the loaded revisions. */
function olderRevision(text: string, revisions: JumpSources['revisions']): JumpPlace[] {
  const number = Number(/^(?:revision\s+)?([1-9]\d{0,8})$/i.exec(text)?.[1] ?? 0)
  const newest = Math.max(0, ...revisions.map(({ revision }) => revision))
  if (number === 0 || number > newest || revisions.some(({ revision }) => revision === number)) return []
  return [place('revision', `/config/${number}`, `Revision ${number}`, 'older')]
}

/** Control stores no users, so any typed text may be a user. */
function ofUser(text: string): JumpPlace[] {
  if (/\s/.test(text)) return []
  const user = encodeURIComponent(text)
  return [
    place('user', `/users?user=${user}`, text, 'connections of this user'),
    place('user', `/trace?user=${user}`, text, 'trace this user'),
  ]
}
