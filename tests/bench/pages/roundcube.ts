/** Debian's Roundcube in a separate directory: its configuration, its sqlite database, served by `php -S`. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { findProgram, freePort, LocalProcess, ownDirectory, type Ground } from '@imapfleet/local'
import { processTree } from '../accounting.ts'
import { BenchError } from '../problem.ts'
import { askOnce } from './http.ts'

const debianFiles = '/usr/share/roundcube'
const remedy = 'apt-get install --no-install-recommends roundcube-core roundcube-sqlite3 php-cli'
const workers = '4'

export interface Roundcube {
  /** Of the web server, without a slash at the end. */
  url: string
  stop(): Promise<void>
}

/** The versions of what is measured. Fails with what to install. */
export function findRoundcube(): { php: string; version: string } {
  const php = findProgram('php')
  if (!php || !existsSync(`${debianFiles}/index.php`))
    throw new BenchError(`the benchmark of pages needs Roundcube: ${remedy}`)
  const modules = execFileSync(php, ['-m'], { encoding: 'utf8' })
  if (!/^pdo_sqlite$/m.test(modules))
    throw new BenchError(`PHP has no sqlite, which Roundcube needs here: ${remedy}`)
  const version = execFileSync('dpkg-query', ['-W', '-f', '${Version}', 'roundcube-core'], {
    encoding: 'utf8',
  })
  const phpVersion = execFileSync(php, ['-r', 'echo PHP_VERSION;'], { encoding: 'utf8' })
  return { php, version: `${version} on PHP ${phpVersion}` }
}

/** @param pluginDirectory of a plugin that it loads */
export async function startRoundcube(
  ground: Ground,
  imapPort: number,
  pluginDirectory?: string,
): Promise<Roundcube> {
  const { php } = findRoundcube()
  const home = ownDirectory(ground, 'roundcube')
  const plugin = pluginDirectory?.split('/').at(-1)
  layOut(ground, home, pluginDirectory)
  writeFileSync(`${home}/config/config.inc.php`, configuration(home, imapPort, plugin))
  const port = await freePort()
  const listen = `127.0.0.1:${port}`
  const child = new LocalProcess({
    name: 'roundcube',
    command: php,
    args: ['-d', 'opcache.enable_cli=1', '-d', 'log_errors=1', '-S', listen, '-t', `${home}/public`],
    env: { PHP_CLI_SERVER_WORKERS: workers },
    ground,
    // An error of Roundcube is an answer too.
    isReady: async () => (await askOnce(`http://${listen}/`)).status > 0,
  })
  await child.start()
  const stop = async () => {
    // `php -S` does not stop its workers.
    const tree = child.pid === undefined ? [] : processTree(child.pid)
    for (const pid of tree.slice(1)) stopWorker(pid)
    await child.stop()
  }
  const { status } = await askOnce(`http://${listen}/`)
  if (status === 200) return { url: `http://${listen}`, stop }
  await stop()
  const said = readdirSync(`${home}/logs`).map((name) => readFileSync(`${home}/logs/${name}`, 'utf8'))
  throw new BenchError(`Roundcube answers ${status}: ${said.join('').slice(0, 500)}`)
}

function stopWorker(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    // It has ended.
  }
}

/** A tree as Debian's, whose own parts are the configuration, the plugins, the database and the logs. */
function layOut(ground: Ground, home: string, pluginDirectory: string | undefined): void {
  for (const name of ['config', 'logs', 'temp', 'plugins', 'public']) ownDirectory(ground, 'roundcube', name)
  for (const name of ['program', 'SQL', 'skins']) symlinkSync(`${debianFiles}/${name}`, `${home}/${name}`)
  for (const name of ['defaults.inc.php', 'mimetypes.php'])
    symlinkSync(`/etc/roundcube/${name}`, `${home}/config/${name}`)
  const ofDebian = readdirSync(`${debianFiles}/plugins`).map((name) => `${debianFiles}/plugins/${name}`)
  for (const path of [...ofDebian, ...(pluginDirectory ? [pluginDirectory] : [])])
    symlinkSync(path, `${home}/plugins/${path.split('/').at(-1)}`)
  const entry = `<?php define('INSTALL_PATH', '${home}/'); include '${debianFiles}/index.php';\n`
  writeFileSync(`${home}/public/index.php`, entry)
}

function configuration(home: string, imapPort: number, plugin: string | undefined): string {
  const settings = {
    db_dsnw: `sqlite:///${home}/roundcube.db?mode=0640`,
    imap_host: `127.0.0.1:${imapPort}`,
    imap_debug: false,
    des_key: randomBytes(12).toString('hex'),
    language: 'en_US',
    timezone: 'UTC',
    log_driver: 'file',
    log_dir: `${home}/logs/`,
    temp_dir: `${home}/temp/`,
    enable_spellcheck: false,
    login_rate_limit: 1_000,
  }
  const lines = Object.entries(settings).map(([key, value]) => `$config['${key}'] = ${literal(value)};`)
  const plugins = plugin ? `'${plugin}'` : ''
  return ['<?php', ...lines, `$config['plugins'] = [${plugins}];`, ''].join('\n')
}

const literal = (value: string | number | boolean) =>
  typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, '\\$&')}'` : String(value)
