/**
 * The Debian packages. Each contains its program, the pinned Node without symbols under /usr/lib/imapfleet, and all that
 * an operator expects of a package (ADR 31).
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { edgeEnvironment, edgeNodeFlags, repository } from '@imapfleet/local'
import { controlConffile, edgeConffile } from './conffile.ts'
import { DebianTree } from './debian-tree.ts'
import { helpOf } from './help.ts'
import { configurationPage, programPage, type ManualPage } from './manual-pages.ts'
import { librariesOf, nodeLicence, strippedNode } from './node-program.ts'

export interface DebianOptions {
  /** Has the bundles, and gets the packages. */
  directory: string
  version: string
  /** Seconds since 1970. */
  date: number
  /** Of dpkg-deb: `xz`, or `none`, which is faster. */
  compression: string
  /** By program: the text of the licences of everything in its bundle. */
  licences: Readonly<Record<string, string>>
}

interface DebianPackage {
  name: string
  program: string
  /** Below /usr/lib/imapfleet. */
  place: string
  section: string
  summary: string
  description: string[]
  /** Besides the libraries of Node. */
  depends?: string
  recommends: string
  /** Of lintian. */
  overrides?: string[]
  page: Pick<ManualPage, 'section' | 'summary'>
  /** Arguments of Node in the start script. */
  nodeFlags: string
  /** Further lines of the start script, before Node is started. */
  prepare?: string
  more: (tree: DebianTree, context: PackageContext) => void
}

interface PackageContext extends DebianOptions {
  /** Node and the bundle. */
  command: string[]
  page: Pick<ManualPage, 'version' | 'date'>
}

const infra = (file: string) => join(repository, 'infra', file)
/** Packages with the libraries that Node uses, with the versions that its symbols need. */
const libraryPackages: Record<string, string> = {
  'ld-linux-aarch64.so.1': 'libc6 (>= 2.28)',
  'ld-linux-x86-64.so.2': 'libc6 (>= 2.28)',
  'libatomic.so.1': 'libatomic1',
  'libc.so.6': 'libc6 (>= 2.28)',
  'libdl.so.2': 'libc6 (>= 2.28)',
  'libgcc_s.so.1': 'libgcc-s1',
  'libm.so.6': 'libc6 (>= 2.28)',
  'libpthread.so.0': 'libc6 (>= 2.28)',
  'libstdc++.so.6': 'libstdc++6 (>= 5.2)',
}

/** For nats-server, Prometheus and Grafana. */
const examples = ['nats/*.conf', 'prometheus/{prometheus,alerts}.yml', 'grafana/*.json']

const packages: DebianPackage[] = [
  {
    name: 'imapfleet-edge',
    program: 'imapfleet-edge',
    place: 'edge',
    section: 'mail',
    summary: 'IMAP proxy for webmail that reuses logged-in server connections',
    description: [
      'Webmail opens a new IMAP connection for every page. imapfleet-edge keeps the',
      'connection to the mail server open and logged in, and reuses it for the next',
      'page of the same user. It replaces imapproxy and reads its configuration file.',
      'It runs alone, or as a member of a fleet with imapfleet-control.',
    ],
    depends: 'adduser',
    recommends: 'ca-certificates, logrotate',
    page: { section: 8, summary: 'IMAP proxy for webmail' },
    nodeFlags: edgeNodeFlags.join(' '),
    prepare: Object.entries(edgeEnvironment)
      .map(([name, value]) => `export ${name}="\${${name}:-${value}}"`)
      .join('\n'),
    more: (tree, { page }) => {
      tree.put('etc/imapfleet/edge.yaml', edgeConffile())
      tree.copy('etc/default/imapfleet-edge', infra('debian/imapfleet-edge.default'))
      tree.copy('etc/logrotate.d/imapfleet-edge', infra('debian/imapfleet-edge.logrotate'))
      tree.copy('etc/fail2ban/filter.d/imapfleet-edge.conf', infra('fail2ban/imapfleet-edge.conf'))
      tree.copy('lib/systemd/system/imapfleet-edge.service', infra('systemd/imapfleet-edge.service'))
      const file = 'imapfleet-edge.yaml'
      const text = configurationPage({
        ...page,
        name: file,
        section: 5,
        summary: 'configuration of imapfleet-edge',
      })
      tree.putCompressed(`usr/share/man/man5/${file}.5`, text)
    },
  },
  {
    name: 'imapfleet-control',
    program: 'imapfleet-control',
    place: 'control',
    section: 'mail',
    summary: 'control plane of a fleet of IMAP proxies',
    description: [
      'imapfleet-control configures the edges of a fleet, sends them orders, stores',
      'what they report, and serves the HTTP API and the web console. It needs',
      'PostgreSQL 15 or newer, and nats-server 2.9 or newer with JetStream. Both may',
      'run on other hosts.',
    ],
    depends: 'adduser',
    recommends: 'ca-certificates',
    overrides: [
      '# It holds the password of the database.',
      'imapfleet-control: non-standard-file-perm 0640 != 0644 *etc/imapfleet/control.env*',
    ],
    page: { section: 8, summary: 'control plane of a fleet of IMAP proxies' },
    nodeFlags: '$settings',
    prepare: [
      '# Variables that are set already have precedence over the file.',
      'settings=',
      'file=/etc/imapfleet/control.env',
      'if [ -r $file ]; then settings=--env-file=$file',
      'elif [ -e $file ]; then echo "imapfleet-control: $(id -un) cannot read $file, so its settings are not set" >&2; fi',
    ].join('\n'),
    more: (tree, { command, directory }) => {
      const environment = helpOf(command).sections.find(({ title }) => title === 'Environment')
      if (!environment) throw new Error('imapfleet-control --help lists no variables')
      tree.put('etc/imapfleet/control.env', controlConffile(environment), 0o640)
      tree.copyDirectory('usr/lib/imapfleet/control/console', join(directory, 'console'))
      tree.copyDirectory('usr/lib/imapfleet/control/drizzle', join(directory, 'drizzle'))
      tree.copy('lib/systemd/system/imapfleet-control.service', infra('systemd/imapfleet-control.service'))
      for (const file of globSync(examples, { cwd: infra('') }))
        tree.copy(`usr/share/doc/imapfleet-control/examples/${basename(file)}`, infra(file))
    },
  },
  {
    name: 'imapfleet-cli',
    program: 'imapfleet',
    place: 'cli',
    section: 'mail',
    summary: 'command line for a fleet of IMAP proxies',
    description: [
      'The command imapfleet shows and changes a fleet of IMAP proxies through the',
      'HTTP API of imapfleet-control. It can run on any host.',
    ],
    recommends: 'ca-certificates',
    page: { section: 1, summary: 'monitors and controls a fleet of IMAP proxies' },
    nodeFlags: '',
    more: (tree, { command }) => {
      const script = (shell: string) =>
        execFileSync(command[0] ?? '', [...command.slice(1), 'completion', shell])
      tree.put('usr/share/bash-completion/completions/imapfleet', script('bash'))
      tree.put('usr/share/zsh/vendor-completions/_imapfleet', script('zsh'))
      tree.put('usr/share/fish/vendor_completions.d/imapfleet.fish', script('fish'))
    },
  },
]

/** Returns the names of the files. */
export function writeDebianPackages(options: DebianOptions): string[] {
  const { directory } = options
  const work = join(directory, 'debian-work')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work)
  const node = strippedNode(work)
  const files = packages.map((each) => writePackage(each, options, node, join(work, each.name)))
  rmSync(work, { recursive: true })
  return files
}

function dependsOf(program: string): string[] {
  const names = librariesOf(program)
  const unknown = names.filter((name) => !Object.hasOwn(libraryPackages, name))
  if (unknown.length > 0)
    throw new Error(`Node needs ${unknown.join(', ')}: name the packages in libraryPackages`)
  return [...new Set(names.flatMap((name) => libraryPackages[name] ?? []))].sort()
}

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' }

function writePackage(what: DebianPackage, options: DebianOptions, node: string, root: string): string {
  const { name, program, place } = what
  const { version, date, directory } = options
  const architecture = architectures[process.arch]
  if (architecture === undefined) throw new Error(`there are no Debian packages for ${process.arch}`)
  const lib = `usr/lib/imapfleet/${place}`
  const bundle = join(directory, `${program}.mjs`)
  const tree = new DebianTree(root)
  tree.copy(`${lib}/node`, node, 0o755)
  // The start script runs it. The first line stays, so that line numbers of a stack trace match the bundle.
  tree.put(`${lib}/${program}.mjs`, readFileSync(bundle, 'utf8').replace(/^#!.*/, ''))
  const flags = what.nodeFlags && `${what.nodeFlags} `
  const start = `exec /${lib}/node ${flags}/${lib}/${program}.mjs "$@"`
  tree.put(
    `usr/bin/${program}`,
    ['#!/bin/sh', what.prepare, start, ''].filter((line) => line !== undefined).join('\n'),
    0o755,
  )
  const page = { ...what.page, name: program, version, date }
  tree.putCompressed(
    `usr/share/man/man${page.section}/${program}.${page.section}`,
    programPage(page, [process.execPath, bundle]),
  )
  writeDocuments(tree, what, options)
  for (const script of globSync(`${name}.{preinst,postinst,prerm,postrm}`, { cwd: infra('debian') }))
    tree.copy(`DEBIAN/${script.slice(name.length + 1)}`, infra(`debian/${script}`), 0o755)
  what.more(tree, { ...options, command: [process.execPath, bundle], page: { version, date } })
  const file = `${name}_${version}-1_${architecture}.deb`
  const fields = {
    Package: name,
    Version: `${version}-1`,
    Architecture: architecture,
    Maintainer: maintainer,
    Section: what.section,
    Priority: 'optional',
    Depends: [what.depends ?? [], dependsOf(node)].flat().join(', '),
    Recommends: what.recommends,
    Description: [what.summary, ...what.description.map((line) => ` ${line}`)].join('\n'),
  }
  tree.pack(fields, join(directory, file), date, options.compression)
  return file
}

const { DEBFULLNAME = 'imapfleet developers', DEBEMAIL = 'developers@imapfleet.invalid' } = process.env
const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`

/** What Debian wants in /usr/share/doc, and why lintian is overruled. */
function writeDocuments(
  tree: DebianTree,
  { name, program, place, overrides = [] }: DebianPackage,
  options: DebianOptions,
): void {
  const { version, date, licences } = options
  const doc = `usr/share/doc/${name}`
  tree.copy(`${doc}/copyright`, infra('debian/copyright'))
  tree.putCompressed(`${doc}/licenses.txt`, licences[program] ?? '')
  tree.putCompressed(`${doc}/node-license.txt`, readFileSync(nodeLicence))
  tree.putCompressed(`${doc}/changelog`, readFileSync(join(repository, 'CHANGELOG.md')))
  const day = new Date(date * 1000).toUTCString().replace('GMT', '+0000')
  tree.putCompressed(
    `${doc}/changelog.Debian`,
    [
      `${name} (${version}-1) unstable; urgency=medium`,
      '',
      `  * Release ${version}. See changelog.gz.`,
      '',
      ` -- ${maintainer}  ${day}`,
      '',
    ].join('\n'),
  )
  tree.put(
    `usr/share/lintian/overrides/${name}`,
    [
      '# Debian 12 has no Node that is new enough. The Node that was tested comes with the program, as Node is released.',
      `${name}: embedded-library *usr/lib/imapfleet/${place}/node*`,
      `${name}: hardening-no-pie *usr/lib/imapfleet/${place}/node*`,
      '# The packages are not uploaded to Debian.',
      `${name}: initial-upload-closes-no-bugs *`,
      ...overrides,
      '',
    ].join('\n'),
  )
}
