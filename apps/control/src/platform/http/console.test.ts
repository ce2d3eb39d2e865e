/** The files of the web console. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local/in-tests'
import { consoleRoutes } from './console.ts'

suite('console', () => {
  let root: string
  before(() => {
    root = temporaryDirectory('console')
    writeFileSync(join(root, 'secret.txt'), 'secret')
  })
  after(async () => await removeTemporaryDirectory(root))

  const directory = () => join(root, 'dist')
  const get = (path: string, headers: Record<string, string> = {}) =>
    consoleRoutes(directory()).request(path, { headers })

  test('a page is unavailable until the console is built, and then served at once', async () => {
    const served = consoleRoutes(directory())
    assert.equal((await served.request('/')).status, 503)
    mkdirSync(join(directory(), 'assets'), { recursive: true })
    writeFileSync(join(directory(), 'index.html'), '<title>imapfleet</title>')
    writeFileSync(join(directory(), 'assets', 'index-a1.js'), 'export {}\n'.repeat(1_000))
    writeFileSync(join(directory(), 'assets', 'style-b2.css'), 'body {}')
    assert.equal((await served.request('/')).status, 200)
  })

  test('every path of a browser without a route is the page, and is checked again each time', async () => {
    for (const path of ['/', '/edges/eu-1', '/config?layer=global']) {
      const page = await get(path, { accept: 'text/html,*/*' })
      assert.deepEqual([page.status, await page.text()], [200, '<title>imapfleet</title>'], path)
      assert.equal(page.headers.get('cache-control'), 'no-cache')
      assert.match(page.headers.get('content-type') ?? '', /^text\/html; charset=UTF-8$/i)
      const known = { accept: 'text/html', 'if-none-match': page.headers.get('etag') ?? '' }
      assert.equal((await get(path, known)).status, 304, path)
    }
    for (const path of ['/v1/nothing', '/assets/nothing.js'])
      assert.equal((await get(path, { accept: 'text/html' })).status, 404, path)
    assert.equal((await get('/edges/eu-1', { accept: 'application/json' })).status, 404)
  })

  test('a page with answers is not stored, and no answer can end its block', async () => {
    const path = '/v1/orders?limit=50&note="x"'
    const served = consoleRoutes(directory(), () =>
      Promise.resolve([{ path, status: 200, text: '{"note":"</script><!-- <script>"}' }]),
    )
    writeFileSync(join(directory(), 'index.html'), '<body><p>imapfleet</p></body>')
    const page = await served.request('/orders')
    const other = await served.request('/orders', { headers: { accept: 'text/html' } })
    writeFileSync(join(directory(), 'index.html'), '<title>imapfleet</title>')
    assert.equal(page.status, 404)
    assert.equal(other.headers.get('cache-control'), 'no-store')
    assert.equal(
      await other.text(),
      '<body><p>imapfleet</p><script type="application/json" data-answer="/v1/orders?limit=50&amp;note=&quot;x&quot;" data-status="200">' +
        String.raw`{"note":"\u003c/script>\u003c!-- \u003cscript>"}</script></body>`,
    )
  })

  test('an asset is kept forever, and compressed', async () => {
    const plain = await get('/assets/index-a1.js')
    assert.deepEqual([plain.status, (await plain.text()).length], [200, 10_000])
    assert.equal(plain.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    assert.match(plain.headers.get('content-type') ?? '', /^text\/javascript/)
    const packed = await get('/assets/index-a1.js', { 'accept-encoding': 'gzip' })
    assert.equal(packed.headers.get('content-encoding'), 'gzip')
    assert.ok((await packed.arrayBuffer()).byteLength < 1_000)
    assert.match((await get('/assets/style-b2.css')).headers.get('content-type') ?? '', /^text\/css/)
    assert.equal((await get('/assets/other.js')).headers.get('cache-control'), null)
  })

  test('no file outside of the directory is served', async () => {
    const paths = [
      '/assets/../../secret.txt',
      '/assets/%2e%2e/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
    ]
    const more = ['/assets//etc/passwd', '/assets/..\\..\\secret.txt', '/assets/', '/assets', '/assets/%00']
    for (const path of [...paths, ...more]) {
      // Unlike URL, a client can send dots.
      const request = new Request('http://control.test/')
      Object.defineProperty(request, 'url', { value: `http://control.test${path}` })
      assert.equal((await consoleRoutes(directory()).fetch(request)).status, 404, path)
    }
  })
})
