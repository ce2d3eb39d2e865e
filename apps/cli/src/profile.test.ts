import assert from 'node:assert/strict'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { readProfiles, readQuickstart, writeProfiles } from './profile.ts'

const directory = temporaryDirectory('profile')

const lab = { current: 'lab', profiles: { lab: { server: 'http://lab.example/', token: 't' } } }

test('a profile is read as it was written, only its owner can read it, and no other file is left', async () => {
  const file = join(directory, 'config', 'imapfleet', 'profiles.json')
  await writeProfiles(file, lab)
  assert.deepEqual(await readProfiles(file), lab)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(directory, 'config', 'imapfleet')), ['profiles.json'])
})

test('a file that others can read becomes private with the next write', async () => {
  const file = join(directory, 'open.json')
  await writeFile(file, '{}', { mode: 0o644 })
  await writeProfiles(file, lab)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
})

test('without a file there is no profile, and a damaged file is reported', async () => {
  assert.deepEqual((await readProfiles(join(directory, 'none.json'))).profiles, {})
  for (const text of ['', '{', '[]', '{"current":1,"profiles":{}}']) {
    const file = join(directory, 'damaged.json')
    await writeFile(file, text)
    await assert.rejects(readProfiles(file), /is damaged/, text)
  }
  await assert.rejects(readProfiles(directory), /cannot read/)
})

test('the quickstart of the nearest directory is found', async () => {
  const [near, far] = [join(directory, 'near'), join(directory, 'far')]
  await mkdir(join(far, '.run'), { recursive: true })
  await writeFile(
    join(far, '.run', 'quickstart.json'),
    JSON.stringify({ api: 'http://a', token: 't', edges: [] }),
  )
  assert.deepEqual(await readQuickstart([near, far]), { server: 'http://a', token: 't' })
  assert.equal(await readQuickstart([near]), undefined)
  await mkdir(join(near, '.run'), { recursive: true })
  await writeFile(join(near, '.run', 'quickstart.json'), '{"api":')
  await assert.rejects(readQuickstart([near, far]), /is damaged/)
})
