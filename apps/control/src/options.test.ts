import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { databaseOptions } from './options.ts'
import { SettingsError } from './settings.ts'

const directory = temporaryDirectory('options')
after(() => removeTemporaryDirectory(directory))
const file = join(directory, 'password')
writeFileSync(file, 'p@ss\n')

test('the password of Postgres comes from its file', () => {
  const given = { DATABASE_URL: 'postgres://imapfleet@db/imapfleet', DATABASE_PASSWORD_FILE: file }
  assert.equal(new URL(databaseOptions(given).url).password, 'p%40ss')
})

test('two passwords, and a file that cannot be read, are mistakes', () => {
  const twice = { DATABASE_URL: 'postgres://imapfleet:one@db/imapfleet', DATABASE_PASSWORD_FILE: file }
  assert.throws(() => databaseOptions(twice), SettingsError)
  const missing = {
    ...twice,
    DATABASE_URL: 'postgres://imapfleet@db/imapfleet',
    DATABASE_PASSWORD_FILE: `${file}.no`,
  }
  assert.throws(() => databaseOptions(missing), /DATABASE_PASSWORD_FILE: cannot read .*: ENOENT/)
})

test('a password file without a password, and an authority file without a certificate, are mistakes', () => {
  const [empty, text] = [join(directory, 'empty'), join(directory, 'text')]
  writeFileSync(empty, '\n')
  writeFileSync(text, 'no certificate')
  const url = 'postgres://imapfleet@db/imapfleet'
  assert.throws(() => databaseOptions({ DATABASE_URL: url, DATABASE_PASSWORD_FILE: empty }), {
    name: 'SettingsError',
    message: `DATABASE_PASSWORD_FILE: ${empty} is empty`,
  })
  assert.throws(() => databaseOptions({ DATABASE_URL: url, DATABASE_CA_FILE: text }), {
    name: 'SettingsError',
    message: `DATABASE_CA_FILE: ${text} is not a PEM file with a certificate`,
  })
  assert.throws(() => databaseOptions({ DATABASE_URL: `${url}?sslrootcert=${text}` }), {
    name: 'SettingsError',
    message: `sslrootcert of DATABASE_URL: ${text} is not a PEM file with a certificate`,
  })
})
