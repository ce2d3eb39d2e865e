/**
 * A directory with all layers as files: `global.yaml`, `regions/NAME.yaml` and `edges/NAME.yaml`. Reads it strictly,
 * because what is not in it is removed from the fleet, and writes it so that equal layers give equal bytes.
 */
import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, stat, unlink, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { layerText, type LayerName } from '@imapfleet/api'
import { printYaml, type Layer } from '@imapfleet/config'
import { configNamePattern } from '@imapfleet/config/names'
import { usage } from './failure.ts'
import { changeBetween, isSame, parseLayer, type ParsedLayer } from './layer-file.ts'

export interface LayerFile {
  name: LayerName
  path: string
  layer: Layer
  lineOf: (key: string) => number | undefined
}

/** The most layers that one request can change. */
const filesMax = 5_000
/** Far above the largest layer that control accepts. */
const bytesMax = 1_048_576

const folders = { regions: 'region', edges: 'edge' } as const

/** All layers of a directory, or all mistakes in it. */
export async function readLayers(
  directory: string,
): Promise<{ ok: true; files: LayerFile[] } | { ok: false; mistakes: string[] }> {
  const { found, mistakes } = await findLayers(directory)
  const files: LayerFile[] = []
  for (const { name, path } of found) {
    const parsed = await parseFile(path)
    if (parsed.ok) files.push({ name, path, layer: parsed.layer, lineOf: parsed.lineOf })
    else mistakes.push(...parsed.mistakes)
  }
  if (mistakes.length > 0) return { ok: false, mistakes }
  if (files.length > 0) return { ok: true, files }
  return {
    ok: false,
    mistakes: [
      `${directory}: has no layer. \`imapfleet config export ${directory}\` writes those of the fleet`,
    ],
  }
}

interface Found {
  name: LayerName
  path: string
}

/** The files of layers by their names. Everything else is a mistake, except names that begin with a dot, such as .git. */
async function findLayers(directory: string): Promise<{ found: Found[]; mistakes: string[] }> {
  const found: Found[] = []
  const mistakes: string[] = []
  const note = (path: string, mistake: string) => mistakes.push(`${path}: ${mistake}`)
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry.name)
    const kind = Object.hasOwn(folders, entry.name) && folders[entry.name as keyof typeof folders]
    if (entry.isSymbolicLink()) note(path, symbolicLink)
    else if (entry.name === 'global.yaml') found.push({ name: { kind: 'global' }, path })
    else if (kind && entry.isDirectory()) await addFolder(path, kind)
    else if (kind) note(path, `is not a directory: it holds ${kind}s, such as ${entry.name}/NAME.yaml`)
    else note(path, misnamed(entry.name, ['global']))
  }
  if (found.length > filesMax)
    return { found: [], mistakes: [`${directory}: has more than ${filesMax} layers`] }
  return { found, mistakes }

  async function addFolder(folder: string, kind: 'region' | 'edge'): Promise<void> {
    const entries = await entriesOf(folder)
    const stems = entries.flatMap(({ name }) => (name.endsWith('.yaml') ? [name.slice(0, -5)] : []))
    for (const entry of entries) {
      const path = join(folder, entry.name)
      const stem = entry.name.slice(0, -5)
      if (entry.isSymbolicLink()) note(path, symbolicLink)
      else if (!entry.name.endsWith('.yaml')) note(path, misnamed(entry.name, stems))
      else if (configNamePattern.test(stem)) found.push({ name: { kind, name: stem }, path })
      else
        note(
          path,
          `${JSON.stringify(stem)} is not the name of ${kind === 'edge' ? 'an edge' : 'a region'}: lower-case letters, digits, - and _`,
        )
    }
  }
}

const symbolicLink = 'is a symbolic link: put the file itself there'

function misnamed(name: string, stems: readonly string[]): string {
  const [, stem] = /^(.+)\.(?:yml|yaml|json)$/i.exec(name) ?? []
  if (stem !== undefined && stems.includes(stem))
    return `is a file of the same layer as ${stem}.yaml, if that exists: a layer has one file, which ends in .yaml`
  if (stem !== undefined) return 'is not read: the file of a layer ends in .yaml'
  return 'is not a layer: layers are global.yaml, regions/NAME.yaml and edges/NAME.yaml'
}

async function entriesOf(directory: string) {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.filter(({ name }) => !name.startsWith('.')).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    throw usage(`cannot read ${directory}: ${(error as Error).message}`)
  }
}

async function parseFile(path: string): Promise<ParsedLayer> {
  const content = await readBounded(path)
  return 'text' in content
    ? parseLayer(content.text, path)
    : { ok: false, mistakes: [`${path}: ${content.mistake}`] }
}

/** A regular file of at most `bytesMax` bytes of UTF-8. A pipe in its place is not waited for. */
async function readBounded(path: string): Promise<{ text: string } | { mistake: string }> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if (!(await file.stat()).isFile()) return { mistake: 'is not a file' }
    const bytes = await buffer(file.createReadStream({ end: bytesMax, autoClose: false }))
    if (bytes.length > bytesMax) return { mistake: `is larger than ${bytesMax} bytes` }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ELOOP') return { mistake: symbolicLink }
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { mistake: 'is not UTF-8' }
    return { mistake: `cannot be read: ${message}` }
  } finally {
    await file?.close()
  }
}

export interface FileChange {
  path: string
  layer: string
  what: 'written' | 'unchanged' | 'removed'
}

/**
 * Makes a directory have exactly these layers. A file that has the same content already stays as it is, with its
 * comments. Refuses a directory with files that are not layers, and then changes nothing.
 */
export async function writeLayers(
  directory: string,
  layers: readonly { name: LayerName; layer: Layer }[],
): Promise<{ ok: true; files: FileChange[] } | { ok: false; mistakes: string[] }> {
  await make(directory)
  const { found, mistakes } = await findLayers(directory)
  if (mistakes.length > 0) return { ok: false, mistakes }
  const files: FileChange[] = []
  for (const { name, layer } of layers) {
    const path = pathOf(directory, name)
    const isThere = found.some(({ name: other }) => layerText(other) === layerText(name))
    const what = isThere && (await says(path, layer)) ? 'unchanged' : 'written'
    if (what === 'written') await replaceFile(path, printYaml(layer))
    files.push({ path, layer: layerText(name), what })
  }
  const names = new Set(layers.map(({ name }) => layerText(name)))
  for (const { name, path } of found) {
    if (names.has(layerText(name))) continue
    await attempt(`remove ${path}`, unlink(path))
    files.push({ path, layer: layerText(name), what: 'removed' })
  }
  return { ok: true, files }
}

function pathOf(directory: string, name: LayerName): string {
  if (name.kind === 'global') return join(directory, 'global.yaml')
  return join(directory, name.kind === 'region' ? 'regions' : 'edges', `${name.name}.yaml`)
}

async function says(path: string, layer: Layer): Promise<boolean> {
  const parsed = await parseFile(path)
  return parsed.ok && isSame(changeBetween(parsed.layer, layer)) && isSame(changeBetween(layer, parsed.layer))
}

/** A reader sees the old content or the new one. */
async function replaceFile(path: string, content: string): Promise<void> {
  const draft = join(path, '..', `.${process.pid}.draft`)
  await make(join(path, '..'))
  await attempt(`write ${draft}`, writeFile(draft, content, { flag: 'wx' }))
  await attempt(`write ${path}`, rename(draft, path))
}

const make = async (directory: string) => await attempt(`make ${directory}`, makeWithParents(directory))

/** Not `recursive` of Node, which never ends where the file system refuses a directory with ENOENT, as in /proc. */
async function makeWithParents(directory: string): Promise<void> {
  try {
    await mkdir(directory)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    const parent = dirname(directory)
    if (code !== 'ENOENT' || parent === directory || (await isThere(parent))) throw error
    await makeWithParents(parent)
    await mkdir(directory)
  }
}

const isThere = async (path: string): Promise<boolean> =>
  await stat(path).then(
    () => true,
    () => false,
  )

async function attempt(what: string, doing: Promise<unknown>): Promise<void> {
  try {
    await doing
  } catch (error) {
    throw usage(`cannot ${what}: ${(error as Error).message}`)
  }
}
