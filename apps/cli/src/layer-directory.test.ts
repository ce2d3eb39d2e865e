import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { layerText, type LayerName } from '@imapfleet/api'
import type { Layer } from '@imapfleet/config'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { readLayers, writeLayers } from './layer-directory.ts'

const global: LayerName = { kind: 'global' }
const eu: LayerName = { kind: 'region', name: 'eu' }
const eu1: LayerName = { kind: 'edge', name: 'eu-1' }

/** A directory with these files. */
function directoryWith(files: Record<string, string | Uint8Array>): string {
  const directory = temporaryDirectory('layers')
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  return directory
}

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()

async function mistakesIn(directory: string): Promise<string[]> {
  const read = await readLayers(directory)
  return read.ok ? [] : read.mistakes.map((mistake) => mistake.replaceAll(`${directory}/`, ''))
}

test('written layers are read back, and writing them again changes no byte', async () => {
  const directory = join(temporaryDirectory('layers'), 'new', 'fleet')
  const layers: { name: LayerName; layer: Layer }[] = [
    { name: global, layer: { pool: { usesMax: 5, idleTimeoutMs: 60_000 } } },
    { name: eu, layer: { routes: [{ upstream: 'main', user: 'a*' }] } },
    { name: eu1, layer: { log: { level: 'debug' } } },
  ]
  const written = await writeLayers(directory, layers)
  assert.deepEqual(written.ok && written.files.map(({ layer, what }) => [layer, what]), [
    ['global', 'written'],
    ['region/eu', 'written'],
    ['edge/eu-1', 'written'],
  ])
  assert.deepEqual(filesIn(directory), ['edges/eu-1.yaml', 'global.yaml', 'regions/eu.yaml'])
  assert.equal(
    readFileSync(join(directory, 'global.yaml'), 'utf8'),
    'pool:\n  idleTimeoutMs: 60000\n  usesMax: 5\n',
  )
  const read = await readLayers(directory)
  assert.ok(read.ok)
  assert.deepEqual(
    new Map(read.files.map(({ name, layer }) => [layerText(name), layer])),
    new Map(layers.map(({ name, layer }) => [layerText(name), layer])),
  )
  const again = await writeLayers(directory, layers)
  assert.deepEqual(again.ok && again.files.map(({ what }) => what), ['unchanged', 'unchanged', 'unchanged'])
})

test('a file with equal content keeps its comments; other files are replaced, and files of absent layers are removed', async () => {
  const kept = '# agreed with the mail team\npool: { usesMax: 5 }\n'
  const directory = directoryWith({
    'global.yaml': kept,
    'regions/eu.yaml': 'pool: { usesMax: 6 }\n',
    'regions/us.yaml': 'pool: [\n',
    'edges/old.yaml': '',
    '.git/config': 'x',
  })
  const written = await writeLayers(directory, [
    { name: global, layer: { pool: { usesMax: 5 } } },
    { name: eu, layer: { pool: { usesMax: 7 } } },
    { name: { kind: 'region', name: 'us' }, layer: { pool: { usesMax: 8 } } },
  ])
  assert.deepEqual(written.ok && written.files.map(({ layer, what }) => [layer, what]), [
    ['global', 'unchanged'],
    ['region/eu', 'written'],
    ['region/us', 'written'],
    ['edge/old', 'removed'],
  ])
  assert.equal(readFileSync(join(directory, 'global.yaml'), 'utf8'), kept)
  assert.equal(readFileSync(join(directory, 'regions/us.yaml'), 'utf8'), 'pool:\n  usesMax: 8\n')
  assert.deepEqual(filesIn(directory), ['.git/config', 'global.yaml', 'regions/eu.yaml', 'regions/us.yaml'])
})

test('a directory with other files is not written to', async () => {
  const files = { 'global.yaml': 'pool: { usesMax: 5 }\n', 'notes.txt': 'x', 'regions/eu.yaml': '' }
  const directory = directoryWith(files)
  const written = await writeLayers(directory, [{ name: global, layer: {} }])
  assert.deepEqual(written, {
    ok: false,
    mistakes: [
      `${directory}/notes.txt: is not a layer: layers are global.yaml, regions/NAME.yaml and edges/NAME.yaml`,
    ],
  })
  assert.deepEqual(filesIn(directory), Object.keys(files).sort())
})

test('every entry that is not the file of a layer is a mistake, except names that begin with a dot', async () => {
  const layer = 'pool: { usesMax: 5 }\n'
  const places: [Record<string, string | Uint8Array>, RegExp][] = [
    [{ 'README.md': 'x' }, /^README\.md: is not a layer: layers are/],
    [{ 'global.yml': layer }, /^global\.yml: is a file of the same layer as global\.yaml/],
    [
      { 'regions/eu.json': '{}', 'regions/eu.yaml': layer },
      /^regions\/eu\.json: is a file of the same layer as eu\.yaml/,
    ],
    [{ 'edges/eu-1.yml': layer }, /^edges\/eu-1\.yml: is not read: the file of a layer ends in \.yaml/],
    [{ 'regions/EU.yaml': layer }, /^regions\/EU\.yaml: "EU" is not the name of a region/],
    [{ 'edges/.yaml.yaml/x': layer }, /^$/],
    [{ 'edges/a b.yaml': layer }, /^edges\/a b\.yaml: "a b" is not the name of an edge/],
    [{ 'region/eu.yaml': layer }, /^region: is not a layer/],
    [{ regions: layer }, /^regions: is not a directory/],
    [{ 'regions/eu.yaml/x': layer }, /^regions\/eu\.yaml: is not a file/],
    [{ 'global.yaml': 'pool:\n  usesMax: 0\n' }, /^global\.yaml:2: pool\.usesMax must be at least 1/],
    [{ 'global.yaml': new Uint8Array([0x61, 0x3a, 0x20, 0xff]) }, /^global\.yaml: is not UTF-8/],
    [{ 'global.yaml': '#'.repeat(1_048_577) }, /^global\.yaml: is larger than 1048576 bytes/],
    [{}, /has no layer/],
    [{ '.hidden': 'x', 'regions/.eu.yaml.swp': 'x' }, /has no layer/],
  ]
  for (const [files, expected] of places) {
    const isFine = expected.source === '^$'
    const mistakes = await mistakesIn(directoryWith(isFine ? { ...files, 'global.yaml': layer } : files))
    assert.equal(mistakes.length, isFine ? 0 : 1, `${Object.keys(files).join()}: ${mistakes.join()}`)
    if (!isFine) assert.match(mistakes[0]!, expected)
  }
})

test('all mistakes of a directory are found at once', async () => {
  const directory = directoryWith({
    'global.yaml': 'pool: { usesMax: 0 }\n',
    'notes.txt': 'x',
    'regions/eu.yaml': 'pool: [\n',
    'edges/eu-1.yaml': 'pool: { usesMax: 1 }\n',
  })
  assert.deepEqual(
    (await mistakesIn(directory)).map((mistake) => mistake.split(/:| /)[0]),
    ['notes.txt', 'global.yaml', 'regions/eu.yaml'],
  )
})

test('symbolic links are not followed, and a pipe does not block', async () => {
  const outside = directoryWith({ 'secret.yaml': 'pool: { usesMax: 5 }\n' })
  const directory = directoryWith({ 'global.yaml': '' })
  mkdirSync(join(directory, 'edges'))
  symlinkSync(join(outside, 'secret.yaml'), join(directory, 'edges', 'eu-1.yaml'))
  symlinkSync(outside, join(directory, 'regions'))
  execFileSync('mkfifo', [join(directory, 'edges', 'eu-2.yaml')])
  assert.deepEqual(await mistakesIn(directory), [
    'edges/eu-1.yaml: is a symbolic link: put the file itself there',
    'regions: is a symbolic link: put the file itself there',
    'edges/eu-2.yaml: is not a file',
  ])
  const written = await writeLayers(directory, [{ name: eu1, layer: { pool: { usesMax: 9 } } }])
  assert.equal(written.ok, false)
  assert.equal(readFileSync(join(outside, 'secret.yaml'), 'utf8'), 'pool: { usesMax: 5 }\n')
})

test('a directory that does not exist is a usage error with its name', async () => {
  await assert.rejects(readLayers('/nonexistent/fleet'), {
    kind: 'usage',
    message: /cannot read \/nonexistent\/fleet/,
  })
})

test('a directory that cannot be made is a usage error, also where the file system has no directories of its own', async () => {
  const file = join(directoryWith({ file: 'x' }), 'file')
  for (const directory of ['/proc/fleet', '/proc/fleet/new', file, join(file, 'new')])
    await assert.rejects(writeLayers(directory, []), { kind: 'usage' }, directory)
})
