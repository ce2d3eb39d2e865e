import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Knowledge } from '../ahead/knowledge.ts'
import { pageHintsIn } from '../imap/page-hints.ts'
import {
  pageFigures,
  playRecorded,
  readRecorded,
  type PlayedPage,
  type RecordedPage,
} from './recorded-pages.test-support.ts'

/** Sessions of unmodified Roundcube 1.6.5 with Dovecot, each with another user and another order of pages. */
const sessions = [1, 2, 3].map((number) => readRecorded(`roundcube-${number}.pages.jsonl`))

/** Pages with APPEND are left out: the edge cannot ask much ahead there. */
const isJudged = ({ kind }: PlayedPage): boolean => kind !== 'login' && kind !== 'draft'
const ofKinds = (pages: readonly PlayedPage[], ...kinds: string[]): PlayedPage[] =>
  pages.filter(({ kind }) => kinds.includes(kind))

function show(context: TestContext, title: string, pages: readonly PlayedPage[]): void {
  const { waits, dropped, commands } = pageFigures(pages)
  const figures = `${waits.toFixed(2)} waits for ${commands.toFixed(2)} commands, ${dropped.toFixed(2)} in vain`
  context.diagnostic(`${title}, ${pages.length} pages: ${figures}`)
}

/** Three users, one after the other, of a client program that is new to the edge. */
function playAll(
  context: TestContext,
  hintsOf?: (page: RecordedPage) => ReadonlyMap<string, string>,
): { first: PlayedPage[]; later: PlayedPage[] } {
  const knowledge = new Knowledge()
  const [first = [], ...others] = sessions.map((session, index) =>
    playRecorded(knowledge, session, `user ${index}`, hintsOf).slice(2),
  )
  const later = others.flat().filter(isJudged)
  show(context, 'first user, from page 21 on', first.slice(18).filter(isJudged))
  show(context, 'new users, from page 3 on', later)
  for (const kind of new Set(later.map((page) => page.kind))) show(context, kind, ofKinds(later, kind))
  return { first, later }
}

/** The hints of the Roundcube plugin for these pages. */
function pluginHints({ kind, what }: RecordedPage): ReadonlyMap<string, string> {
  const fields: [string, string][] = [['x-page', kind]]
  const [, uid, mailbox] = /(\d+) in ([^\s,]+)/.exec(what) ?? []
  if (uid !== undefined) fields.push(['x-page-uid', uid], ['x-page-mailbox', mailbox!])
  const [, number, listed] = /^page (\d+) of (\S+)/.exec(what) ?? []
  if (number !== undefined) fields.push(['x-page-number', number], ['x-page-mailbox', listed!])
  const [, words, searched] = /^([a-z]+) in (\S+)/.exec(what) ?? []
  if (kind === 'search') fields.push(['x-page-search', words!], ['x-page-mailbox', searched!])
  return pageHintsIn([fields])
}

test('recorded pages wait for few round trips, and little is asked in vain', (context) => {
  const { first, later } = playAll(context)
  const all = pageFigures(later)
  assert.ok(all.commands > 4.6)
  assert.ok(all.waits <= 2, `${all.waits} waits`)
  assert.ok(all.dropped <= 0.39, `${all.dropped} in vain`)
  const lists = pageFigures(ofKinds(later, 'list', 'folder', 'search'))
  assert.ok(lists.waits <= 1.45, `${lists.waits} waits of lists`)
  const messages = pageFigures(ofKinds(later, 'preview', 'show', 'refresh'))
  assert.ok(messages.waits < 2.3, `${messages.waits} waits of messages`)
  const learned = pageFigures(first.slice(18).filter(isJudged))
  assert.ok(learned.waits < 2.07, `${learned.waits} waits of the first user`)
})

test('with the hints of the plugin, recorded pages wait for about one and a half round trips', (context) => {
  const { first, later } = playAll(context, pluginHints)
  const all = pageFigures(later)
  assert.ok(all.waits < 1.55, `${all.waits} waits`)
  assert.ok(all.dropped <= 0.07, `${all.dropped} in vain`)
  const messages = pageFigures(ofKinds(later, 'preview', 'show', 'refresh'))
  assert.ok(messages.waits < 1.52, `${messages.waits} waits of messages`)
  const learned = pageFigures(first.slice(18).filter(isJudged))
  assert.ok(learned.waits < 1.62, `${learned.waits} waits of the first user`)
})
