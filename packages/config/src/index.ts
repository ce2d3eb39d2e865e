/** What other workspaces use of @imapfleet/config. */
export { awaitingRestart } from './awaiting-restart.ts'
export { closest } from './closest.ts'
export { detectFormat, resolveFile, type ResolvedFile } from './config-file.ts'
export { redacted } from './fields.ts'
export { printReportRow } from './imapproxy-conf/import.ts'
export { layerFromImapproxyConf } from './imapproxy-conf/layer.ts'
export {
  checkLayer,
  withoutHostKeys,
  flattenLayer,
  mergeLayers,
  writeKey,
  type JsonValue,
  type Layer,
} from './layer.ts'
export { layerJsonSchema } from './layer-json-schema.ts'
export { describeKeys, type KeyManual } from './manual.ts'
export { printProblem, wordsOfIssue, type Problem } from './problem.ts'
export { isSecretKey, redact } from './redact.ts'
export { resolveConfig } from './resolve.ts'
export type { EdgeConfig, PoolConfig } from './schema.ts'
export type { ListenerConfig } from './sections/listeners.ts'
export type { RouteConfig } from './sections/routes.ts'
export type { UpstreamConfig } from './sections/upstreams.ts'
export { parseValue, printAnyYaml, printYaml, readYaml } from './yaml.ts'
