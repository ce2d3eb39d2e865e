import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { describeKeys } from '../manual.ts'
import { importImapproxyConf, keywordNames, keywords, type KeywordRow } from './import.ts'
import { parseImapproxyConf } from './parse.ts'

const rows: [string, KeywordRow][] = Object.entries(keywords)
/** Debian's sample file, if the package imapproxy is installed. */
const samples = ['/etc/imapproxy.conf', '/usr/share/doc/imapproxy/examples/imapproxy.conf'].filter((file) =>
  existsSync(file),
)

test('each of the 35 keywords has a row, and there are no other rows', () => {
  assert.equal(keywordNames.length, 35)
  assert.deepEqual(rows.map(([name]) => name).toSorted(), keywordNames.toSorted())
})

test(
  'each keyword of the sample file has a row, commented out or not',
  { skip: samples.length === 0 && 'imapproxy is not installed' },
  () => {
    for (const sample of samples) {
      const words = [...readFileSync(sample, 'utf8').matchAll(/^#?([a-z][a-z0-9_.]*)(?:[ \t].*)?$/gm)].map(
        ([, word]) => word!,
      )
      assert.deepEqual([...new Set(words)].toSorted(), keywordNames.toSorted(), sample)
    }
  },
)

test(
  'the sample file is accepted unchanged',
  { skip: samples.length === 0 && 'imapproxy is not installed' },
  () => {
    for (const sample of samples) {
      const text = readFileSync(sample, 'utf8')
      const imported = importImapproxyConf(text)
      assert.ok(imported.ok)
      const inFile = parseImapproxyConf(text).entries.map(({ keyword, line }) => `${line} ${keyword}`)
      const inReport = imported.report
        .filter(({ line }) => line !== undefined)
        .map(({ keyword, line }) => `${line} ${keyword}`)
      assert.deepEqual(inReport, inFile)
    }
  },
)

test('a row sets only keys that it names, and they are in the schema', () => {
  const known = new Set(describeKeys().map(({ key }) => key))
  for (const [keyword, { keys }] of rows)
    for (const key of keys)
      assert.ok(known.has(key.replace(/^(listeners|upstreams)\.\w+/, '$1.NAME')), `${keyword}: ${key}`)
  const complete = Object.fromEntries(keywordNames.map((name) => [name, 'yes']))
  for (const [keyword, row] of rows)
    for (const value of ['yes', '7', '4', '127.0.0.1', 'LOG_MAIL', 'LOG_ERR'])
      for (const given of [{}, complete]) {
        const outcome = row.translate(value, given)
        if (outcome.ok)
          for (const key of Object.keys(outcome.set))
            assert.ok(row.keys.includes(key), `${keyword} sets ${key}`)
      }
})

test('a keyword that sets no key says what to use instead', () => {
  for (const [keyword, row] of rows.filter(([, { keys }]) => keys.length === 0))
    for (const value of ['yes', '7', 'LOG_MAIL', '/run/file']) {
      const outcome = row.translate(value, {})
      if (outcome.ok) assert.ok(outcome.note, keyword)
    }
})

test('a keyword is secret if one of its keys is', () => {
  const secretKeys = describeKeys()
    .filter(({ secret }) => secret)
    .map(({ key }) => key.replace('NAME', 'main'))
  for (const [keyword, row] of rows)
    assert.equal(
      Boolean(row.secret),
      row.keys.some((key) => secretKeys.includes(key)),
      keyword,
    )
})
