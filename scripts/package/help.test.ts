import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsIn, parseHelp } from './help.ts'

test('help of commander is read: usage, description, rows over several lines, examples, a section in one line', () => {
  const help = parseHelp(`Usage: imapfleet config set [options] <key>

Changes a key
in a layer.

Options:
  --region <name>  the layer of a region, and
                   of no other
  -h, --help       print this help

Commands:
  edges|e [options] [id]  list edges
  help [command]          display help

Examples:
  imapfleet edges      list all edges

Exit status: 0 success; 2 wrong usage.
`)
  assert.equal(help.usage, 'imapfleet config set [options] <key>')
  assert.deepEqual(help.description, ['Changes a key in a layer.'])
  assert.deepEqual(help.sections, [
    {
      title: 'Options',
      rows: [
        { term: '--region <name>', text: 'the layer of a region, and of no other' },
        { term: '-h, --help', text: 'print this help' },
      ],
      lines: [],
    },
    {
      title: 'Commands',
      rows: [
        { term: 'edges|e [options] [id]', text: 'list edges' },
        { term: 'help [command]', text: 'display help' },
      ],
      lines: [],
    },
    { title: 'Examples', rows: [], lines: ['  imapfleet edges      list all edges'] },
    { title: 'Exit status', rows: [], lines: ['0 success; 2 wrong usage.'] },
  ])
  assert.deepEqual(commandsIn(help), ['edges'])
})

test('options without a heading are a section of their own', () => {
  const help = parseHelp('Usage: imapfleet-edge --config FILE\n\n  --config FILE   configuration (YAML)\n')
  assert.deepEqual(help.description, [])
  assert.deepEqual(help.sections, [
    { title: 'Options', rows: [{ term: '--config FILE', text: 'configuration (YAML)' }], lines: [] },
  ])
})
