/** The configuration in Git: the commands of docs/gitops.md as printed, on a real control, and what is refused. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { configViewSchema, revisionListSchema } from '@imapfleet/api'
import { removeTemporaryDirectory, repository, temporaryDirectory } from '@imapfleet/local'
import { runCommand } from '../support/command.ts'
import { script } from '../support/documents.ts'
import { ObedientEdge } from '../support/obedient-edge.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

const page = 'docs/gitops.md'

suite('configuration in Git', () => {
  const home = temporaryDirectory('gitops')
  const work = join(home, 'fleet-config')
  const fleet = join(work, 'fleet')
  let plane: Plane
  let edges: ObedientEdge[]

  before(async () => {
    plane = await Plane.start()
    edges = [
      new ObedientEdge(await plane.edge('eu', 'eu-1')),
      new ObedientEdge(await plane.edge('us', 'us-1')),
    ]
    for (const edge of edges) edge.beat()
    await until('both edges', async () => {
      const { body } = await plane.api('/v1/edges')
      return (body as { edges: unknown[] }).edges.length === 2
    })
    for (const [layer, value] of [
      [{ kind: 'global' }, 100],
      [{ kind: 'region', name: 'eu' }, 60_000],
      [{ kind: 'edge', name: 'eu-1' }, 61_000],
    ] as const) {
      const set = layer.kind === 'global' ? { 'pool.usesMax': value } : { 'pool.idleTimeoutMs': value }
      assert.equal((await plane.api('/v1/config/revisions', { body: { layer, set } })).status, 201)
    }
  })
  after(async () => {
    await plane?.stop()
    await removeTemporaryDirectory(home)
  })

  interface Place {
    cwd?: string
    token?: string
    /** Variables of the shell. */
    more?: Record<string, string>
  }
  const run = async (commands: string, { cwd = work, token = plane.token, more = {} }: Place = {}) =>
    await runCommand('sh', ['-c', commands], {
      cwd,
      env: {
        PATH: `${repository}:${process.env['PATH']}`,
        HOME: home,
        GIT_AUTHOR_NAME: 'ann',
        GIT_AUTHOR_EMAIL: 'ann@example.org',
        GIT_COMMITTER_NAME: 'ann',
        GIT_COMMITTER_EMAIL: 'ann@example.org',
        IMAPFLEET_SERVER: plane.control.api,
        IMAPFLEET_TOKEN: token,
        ...more,
      },
    })
  const config = async () => configViewSchema.parse((await plane.api('/v1/config')).body)
  const newest = async (amount: number) =>
    revisionListSchema.parse((await plane.api(`/v1/config/revisions?limit=${amount}`)).body).revisions
  const succeed = async (commands: string, options: Place = {}) => {
    const said = await run(commands, options)
    assert.equal(said.status, 0, said.stdout + said.stderr)
    return said
  }

  test('an export has a file for each layer, and does not differ from the fleet', async () => {
    await succeed(script(page, 'git init -q fleet-config'), { cwd: home })
    assert.equal(readFileSync(join(fleet, 'regions/eu.yaml'), 'utf8'), 'pool:\n  idleTimeoutMs: 60000\n')
    const schema = JSON.parse(readFileSync(join(work, 'layer.schema.json'), 'utf8')) as object
    assert.match(JSON.stringify(schema), /idleTimeoutMs/)
    assert.match((await succeed('imapfleet config diff fleet')).stdout, /^no differences/)
    await succeed('imapfleet config export fleet && test -z "$(git status --porcelain)"')
  })

  test('a difference is shown with exit status 1, a viewer may see it, and an apply reaches the edges', async () => {
    const differing = await run(
      script(page, "sed -i 's/idleTimeoutMs: .*/idleTimeoutMs: 120000/' fleet/regions/eu.yaml"),
    )
    assert.equal(differing.status, 1, differing.stderr)
    assert.equal(differing.stdout, 'region/eu\n- pool.idleTimeoutMs 60000\n+ pool.idleTimeoutMs 120000\n')
    const viewer = await plane.control.createToken('viewer', 'viewer')
    const asViewer = await run('imapfleet config diff fleet -o json', { token: viewer })
    assert.equal(asViewer.status, 1, asViewer.stderr)
    assert.equal((JSON.parse(asViewer.stdout) as { equal: boolean }).equal, false)
    writeFileSync(join(fleet, 'global.yaml'), 'pool:\n  usesMax: 200\n')
    mkdirSync(join(fleet, 'regions'), { recursive: true })
    writeFileSync(join(fleet, 'regions/us.yaml'), 'pool:\n  usesMax: 300\n')

    const earlier = (await config()).revision
    const applied = await succeed(script(page, 'imapfleet config apply fleet --dry-run'))
    assert.match(applied.stdout, /nothing was changed; this would be revision .* of global/)
    assert.match(applied.stdout, /eu-1 +eu +applied\nus-1 +us +applied\n$/)
    assert.deepEqual(
      edges.map(({ layer }) => layer),
      [{ pool: { usesMax: 200, idleTimeoutMs: 61_000 } }, { pool: { usesMax: 300 } }],
    )
    const made = await newest(3)
    assert.deepEqual(
      made.map(({ revision, layer, note }) => [revision - earlier, layer.kind, note]),
      [
        [3, 'region', 'idle connections of eu are kept for two minutes'],
        [2, 'region', 'idle connections of eu are kept for two minutes'],
        [1, 'global', 'idle connections of eu are kept for two minutes'],
      ],
    )
    // No edge has run a part of the change.
    for (const { ran } of edges) assert.ok(!ran.includes(earlier + 1), ran.join())
    assert.match((await succeed('imapfleet config diff fleet')).stdout, /^no differences/)
    await succeed("git add . && git commit -qm 'more uses'")
  })

  test('the script for CI shows the differences of a branch, and applies the main branch', async () => {
    writeFileSync(join(fleet, 'global.yaml'), 'pool:\n  usesMax: 210\n')
    const earlier = (await config()).revision
    const branch = await succeed(script(page, 'set -eu'), { more: { BRANCH: 'feature', COMMIT: 'abc' } })
    assert.match(branch.stdout, /\+ pool\.usesMax 210/)
    assert.equal((await config()).revision, earlier)
    const failed = await run(script(page, 'set -eu'), {
      token: 'wrong',
      more: { BRANCH: 'feature', COMMIT: 'abc' },
    })
    assert.equal(failed.status, 1, 'an error of the comparison fails the job')
    await succeed(script(page, 'set -eu'), { more: { BRANCH: 'main', COMMIT: 'abc' } })
    const [last] = await newest(1)
    assert.deepEqual([last?.revision, last?.note], [earlier + 1, 'commit abc'])
    await succeed("git commit -qam 'still more uses'")
  })

  test('a commit is undone by reverting it and applying the files', async () => {
    await succeed(script(page, 'git revert --no-edit HEAD'))
    assert.deepEqual((await config()).layers['global'], { pool: { usesMax: 200 } })
  })

  test('a layer without a file is a difference, and is removed only with --prune', async () => {
    const [gone = '', ...rest] = script(page, 'git rm -q fleet/edges/eu-1.yaml').trimEnd().split('\n')
    await succeed(gone)
    const earlier = await config()
    const differing = await run('imapfleet config diff fleet')
    assert.equal(differing.status, 1)
    assert.match(differing.stdout, /^edge\/eu-1 \(not in the directory\)\n- pool\.idleTimeoutMs 61000\n$/)
    const refused = await run('imapfleet config apply fleet')
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /fleet has no file for edge\/eu-1, which the fleet has: .*--prune/)
    assert.deepEqual(await config(), earlier)
    await succeed(rest.join('\n'))
    assert.deepEqual((await config()).layers['edge/eu-1'], {})
    assert.match((await succeed('imapfleet config diff fleet')).stdout, /^no differences/)
  })

  test('mistakes in files end with status 2, a line for each with its place, and change nothing', async () => {
    const earlier = await config()
    const path = join(fleet, 'regions/us.yaml')
    const good = readFileSync(path, 'utf8')
    writeFileSync(path, 'pool:\n  usesMax: 0\n  nosuch: 1\n')
    for (const command of ['diff', 'apply']) {
      const said = await run(`imapfleet config ${command} fleet`)
      assert.equal(said.status, 2)
      assert.match(
        said.stderr,
        /^fleet\/regions\/us\.yaml:2: pool\.usesMax must be .*\nfleet\/regions\/us\.yaml:3: pool\.nosuch is not a known key.*\nimapfleet: fleet has 2 mistakes\n$/,
      )
    }
    assert.deepEqual(await config(), earlier)
    writeFileSync(path, good)
    for (const wrong of ['imapfleet config diff nosuch', 'imapfleet config diff fleet --region eu'])
      assert.equal((await run(wrong)).status, 2, wrong)
  })

  test('a token that is limited to a region changes its layers, and is refused as a whole with any other', async () => {
    const { body } = await plane.api('/v1/tokens', {
      body: { name: 'team-eu', role: 'operator', limits: { regions: ['eu'] } },
    })
    const { token } = body as { token: string }
    await succeed('imapfleet config export own && test "$(ls own)" = regions', { token })
    const earlier = await config()
    writeFileSync(join(work, 'own/regions/eu.yaml'), 'pool:\n  idleTimeoutMs: 90000\n')
    writeFileSync(join(work, 'own/global.yaml'), 'pool:\n  usesMax: 1\n')
    const refused = await run('imapfleet config apply own', { token })
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /team-eu is limited to region eu, and the layer global is outside/)
    assert.deepEqual(await config(), earlier)
    await succeed('rm own/global.yaml && imapfleet config apply own --prune', { token })
    const { layers } = await config()
    assert.deepEqual(
      [layers['region/eu'], layers['global']],
      [{ pool: { idleTimeoutMs: 90_000 } }, earlier.layers['global']],
    )
  })

  test('a change that was written after the comparison is not overwritten', async () => {
    const { revision } = await config()
    await succeed('imapfleet config set pool.usesMax 222')
    const refused = await run(`imapfleet config apply fleet --base ${revision}`)
    assert.equal(refused.status, 1)
    assert.match(
      refused.stderr,
      new RegExp(`based on revision ${revision}, but the newest is ${revision + 1}`),
    )
    assert.deepEqual((await config()).layers['global'], { pool: { usesMax: 222 } })
  })

  test('with --rollout --wait the command ends with the rollout, and fails if it is rolled back', async () => {
    await succeed('imapfleet config export fleet')
    writeFileSync(join(fleet, 'regions/us.yaml'), 'pool:\n  usesMax: 301\n')
    const done = await succeed('imapfleet config apply fleet --rollout --soak 0s --wait')
    assert.match(done.stderr, /waiting for the end of the rollout[^]*completed/)
    edges[1]!.manner = 'refuse'
    writeFileSync(join(fleet, 'regions/us.yaml'), 'pool:\n  usesMax: 302\n')
    const failed = await run('imapfleet config apply fleet --rollout --soak 0s --wait')
    assert.equal(failed.status, 1, failed.stdout + failed.stderr)
    assert.match(failed.stderr, /was rolled back: .*us-1/)
  })
})
