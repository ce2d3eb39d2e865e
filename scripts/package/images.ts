/**
 * The root file systems of the images: a program, the pinned Node, and the libraries of Debian that it needs. There is no
 * shell and no package manager in them. infra/docker has the Dockerfiles.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  globSync,
  lstatSync,
  mkdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { repository, unpackPackage } from '@imapfleet/local'
import { strippedNode } from './node-program.ts'

const libraryPackages = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1']
/** In these packages. Converters of character sets are left out, because Node has its own. */
const wanted = ['{lib,usr/lib}/*-linux-gnu*/*.so*', 'lib64/*.so*', 'usr/share/doc/*/copyright']

const account = {
  'etc/passwd':
    'root:x:0:0:root:/:/sbin/nologin\nimapfleet:x:1000:1000:imapfleet:/var/lib/imapfleet:/sbin/nologin\n',
  'etc/group': 'root:x:0:\nimapfleet:x:1000:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
}

/**
 * @param images is replaced; it gets the file systems
 * @param bundles has the bundles, and gets what is needed on the way
 */
export async function writeImages(
  images: string,
  bundles: string,
  licences: Readonly<Record<string, string>>,
): Promise<void> {
  const work = join(bundles, 'work')
  rmSync(images, { recursive: true, force: true })
  const base = join(work, 'base')
  for (const name of libraryPackages) {
    const reason = await unpackPackage(name, join(work, name))
    if (reason !== undefined) throw new Error(`${name} of Debian cannot be had: ${reason}`)
    for (const path of globSync(wanted, { cwd: join(work, name) }))
      copy(join(work, name, path), join(base, path))
  }
  for (const [path, text] of Object.entries(account)) {
    mkdirSync(dirname(join(base, path)), { recursive: true })
    writeFileSync(join(base, path), text)
  }
  const node = strippedNode(work)
  for (const [place, program] of [
    ['edge', 'imapfleet-edge'],
    ['control', 'imapfleet-control'],
  ] as const) {
    const root = join(images, place)
    const lib = join(root, 'usr/lib/imapfleet', place)
    cpSync(base, root, { recursive: true, verbatimSymlinks: true })
    // A file or a directory is mounted here.
    mkdirSync(join(root, 'etc/imapfleet'))
    copy(node, join(lib, 'node'))
    copy(join(bundles, `${program}.mjs`), join(lib, `${program}.mjs`))
    copy(join(repository, 'LICENSE'), join(root, 'usr/share/doc', program, 'LICENSE'))
    writeFileSync(join(root, 'usr/share/doc', program, 'licenses.txt'), licences[program] ?? '')
  }
  for (const name of ['console', 'drizzle'])
    cpSync(join(bundles, name), join(images, 'control/usr/lib/imapfleet/control', name), {
      recursive: true,
    })
  // The owner of this directory in the image is set by its Dockerfile.
  mkdirSync(join(images, 'state'))
  chmodSync(join(images, 'state'), 0o700)
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  if (lstatSync(from).isSymbolicLink()) cpSync(from, to, { verbatimSymlinks: true })
  else copyFileSync(from, to)
}
