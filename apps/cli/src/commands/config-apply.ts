/** `imapfleet config apply`, `diff` and `import`: a whole layer from a file. */
import type { Layer } from '@imapfleet/config'
import { layerText, type LayerName } from '@imapfleet/api'
import type { Command } from 'commander'
import type { Api } from '../api.ts'
import { changeBetween, layerOfConfFile, parseLayer, readText } from '../layer-file.ts'
import { safe } from '../print/safe.ts'
import type { Shell } from '../shell.ts'
import { change, changeOptions, layerOf, layerOptions, type ChangeOptions } from './config-change.ts'

const file = ['<file>', 'YAML with the keys of the layer; - reads standard input'] as const

export function addConfigApply(config: Command, shell: Shell): void {
  const replace = async (path: string, options: ChangeOptions, command: Command) => {
    const wanted = parseLayer(await readText(path, shell.stdin), path)
    const api = await shell.api(command)
    const { layer, revision } = await current(api, layerOf(options))
    // Based on this revision: the server refuses if another one was written in between.
    await change(changeBetween(layer, wanted), { base: revision, ...options }, command, shell)
  }

  changeOptions(config.command('apply').argument(...file))
    .description('make a layer equal to a file: keys that are not in the file are unset')
    .action(replace)

  layerOptions(config.command('diff').argument(...file))
    .description('show what `config apply` would change')
    .action(async (path: string, options: ChangeOptions, command: Command) => {
      await replace(path, { ...options, dryRun: true }, command)
    })

  changeOptions(config.command('import').argument('<file>', 'an imapproxy.conf; - reads standard input'))
    .description('set the keys of an imapproxy.conf in a layer, and report how each line was understood')
    .action(async (path: string, options: ChangeOptions, command: Command) => {
      const { set, report } = layerOfConfFile(await readText(path, shell.stdin), path)
      for (const line of report) shell.note(safe(line))
      await change({ set, unset: [] }, options, command, shell)
    })
}

async function current(api: Api, name: LayerName): Promise<{ layer: Layer; revision: number }> {
  const { revision, layers } = await api.config()
  return { layer: layers[layerText(name)] ?? {}, revision }
}
