import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { grantOf, readGrants } from './grants.ts'

const file = join(temporaryDirectory('grants'), 'groups.yaml')
const read = (text: string) => {
  writeFileSync(file, text)
  return readGrants(file, (problem) => new Error(problem))
}

const example = `
groups:
  - group: mail-admins
    role: admin
    scopes: [trace-bodies]
  - group: team-eu
    role: operator
    regions: [eu]
  - group: 4711
    role: viewer
    domains: [Shop.Example]
`

test('groups have a role, scopes and limits', () => {
  assert.deepEqual(read(example), [
    { group: 'mail-admins', role: 'admin', scopes: ['trace-bodies'], limits: {} },
    { group: 'team-eu', role: 'operator', scopes: [], limits: { regions: ['eu'] } },
    { group: '4711', role: 'viewer', scopes: [], limits: { domains: ['shop.example'] } },
  ])
})

test('the first entry with a group of the person counts, and names are compared exactly', () => {
  const grants = read(example)
  assert.equal(grantOf(grants, ['4711', 'team-eu'])?.group, 'team-eu')
  for (const groups of [[], ['Team-eu'], ['team-eu '], ['team'], ['*']])
    assert.equal(grantOf(grants, groups), undefined)
  const many = Array.from({ length: 10_000 }, (_, index) => `group-${index}`)
  assert.equal(grantOf(grants, [...many, '4711'])?.role, 'viewer')
})

test('a mistake is named with its line', () => {
  const one = (lines: string) => `groups:\n  - group: a\n    ${lines}\n`
  const cases: [string, RegExp][] = [
    ['', /the file|groups/],
    ['groups: []', /groups/],
    ['- group: a', /the file/],
    [one('role: king'), /line 3: groups\.0\.role/],
    [one('scopes: []'), /groups\.0\.role/],
    [one('role: viewer\n    region: [eu]'), /region/],
    [one('role: viewer\n    regions: []'), /line 4: groups\.0\.regions/],
    [one('role: viewer\n    domains: [ann@example.org]'), /must be a domain/],
    [one('role: viewer\n    scopes: [everything]'), /groups\.0\.scopes/],
    [one('role: admin\n    regions: [eu]'), /line 3: groups\.0\.role must be viewer or operator/],
    [one('role: viewer\n  - group: a\n    role: admin'), /line 4: groups\.1\.group is listed twice/],
    ['groups: [', /line 1/],
  ]
  for (const [text, sentence] of cases) assert.throws(() => read(text), sentence, text)
  assert.throws(() => readGrants(`${file}.no`, (problem) => new Error(problem)), /cannot read .*: ENOENT/)
})
