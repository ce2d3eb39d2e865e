import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jumpPlaces, type JumpSources } from './jump-places.ts'

const sources: JumpSources = {
  pages: [
    { href: '/', title: 'Overview' },
    { href: '/audit', title: 'Audit' },
  ],
  edges: [
    { id: 'eu-10', region: 'eu', state: 'serving' },
    { id: 'eu-1', region: 'eu', state: 'silent' },
    { id: 'us-1', region: 'us', state: 'serving' },
  ],
  revisions: [
    { revision: 41, layer: { kind: 'global' }, note: 'longer breaks', createdBy: 'ann' },
    { revision: 40, layer: { kind: 'region', name: 'eu' }, note: '', createdBy: 'ben' },
  ],
}
const titles = (text: string) =>
  jumpPlaces(text, sources)
    .filter(({ kind }) => kind !== 'user')
    .map(({ title }) => title)
const hrefs = (text: string) => jumpPlaces(text, sources).map(({ href }) => href)

test('without a text all pages are offered', () => {
  assert.deepEqual(titles(' '), ['Overview', 'Audit'])
})

test('a name comes before names that begin with it, and these before names that contain it', () => {
  assert.deepEqual(titles('eu-1'), ['eu-1', 'eu-10'])
  assert.deepEqual(titles('EU').slice(0, 3), ['eu', 'eu-1', 'eu-10'])
  assert.deepEqual(titles('udi'), ['Audit'])
})

test('edges are found by region and state, revisions by layer, author and note', () => {
  assert.deepEqual(titles('silent'), ['eu-1'])
  assert.deepEqual(titles('edge us serving'), ['us-1'])
  assert.deepEqual(titles('breaks'), ['Revision 41'])
  assert.deepEqual(titles('ben'), ['Revision 40'])
})

test('a number is a revision, also an older one, but not one that does not exist', () => {
  assert.equal(hrefs('41')[0], '/config/41')
  assert.equal(hrefs('revision 7')[0], '/config/7')
  assert.deepEqual(titles('42'), [])
})

test('what is typed may be a user, unless it has spaces', () => {
  const pages = [...sources.pages, { href: '/users', title: 'Users' }, { href: '/trace', title: 'Trace' }]
  const hrefsOf = (text: string) => jumpPlaces(text, { ...sources, pages }).map(({ href }) => href)
  assert.deepEqual(hrefsOf('zoë+x@example.org'), [
    '/users?user=zo%C3%AB%2Bx%40example.org',
    '/trace?user=zo%C3%AB%2Bx%40example.org',
  ])
  assert.deepEqual(hrefsOf('no such thing'), [])
})

test('a user is not offered to someone without the pages of users', () => {
  assert.deepEqual(hrefs('zoe@example.org'), [])
})
