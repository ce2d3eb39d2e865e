import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandHead } from '../imap/verb.ts'
import { familyOf, loginFormOf, type FamilyFacts } from './client-family.ts'

const formOf = (login: string) => {
  const bytes = Buffer.from(`${login}\r\n`)
  return loginFormOf(bytes, commandHead(bytes, 0, bytes.length - 1).verbEnd)
}

const facts: FamilyFacts = {
  listener: 'imap',
  address: '192.0.2.7',
  secure: false,
  commands: 2,
  tag: 'A0002',
  verb: 'LOGIN',
  form: formOf('A0002 LOGIN joe secret'),
  ids: [
    [
      ['name', 'Roundcube'],
      ['version', '1.6.9'],
      ['x-originating-ip', '203.0.113.77'],
    ],
  ],
}

test('the next session of the same program is of the same family', () => {
  const later: Partial<FamilyFacts>[] = [
    { tag: 'A0007' },
    { form: formOf('A0002 LOGIN ann other') },
    {
      ids: [
        [
          ['name', 'Roundcube'],
          ['version', '1.7.0'],
          ['x-originating-ip', '203.0.113.78'],
        ],
      ],
    },
  ]
  for (const changed of later) assert.equal(familyOf({ ...facts, ...changed }), familyOf(facts))
})

test('a client that differs in anything else is of another family', () => {
  const others: Partial<FamilyFacts>[] = [
    { listener: 'other' },
    { address: '192.0.2.8' },
    { secure: true },
    { commands: 1 },
    { tag: 'A2' },
    { tag: 'TAG2' },
    { tag: 'B0002' },
    { tag: 'a0002' },
    { verb: 'AUTHENTICATE' },
    { form: formOf('A0002 LOGIN "joe" secret') },
    { form: formOf('A0002 LOGIN {3}') },
    { form: formOf('A0002 login joe secret') },
    { ids: [] },
    { ids: [...facts.ids, ...facts.ids] },
    {
      ids: [
        [
          ['name', 'SnappyMail'],
          ['version', ''],
          ['x-originating-ip', ''],
        ],
      ],
    },
    {
      ids: [
        [
          ['name', 'Roundcube'],
          ['version', '1.6.9'],
        ],
      ],
    },
  ]
  const families = new Set([facts, ...others.map((changed) => ({ ...facts, ...changed }))].map(familyOf))
  assert.equal(families.size, others.length + 1)
})
