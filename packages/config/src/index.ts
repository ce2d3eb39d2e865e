/** The door of @imapfleet/config. */
export { awaitingRestart } from './awaiting-restart.ts'
export { printReportRow, type ReportRow } from './imapproxy-conf/import.ts'
export { layerOfConf } from './imapproxy-conf/layer-of-conf.ts'
export { metaOf, redacted, type FieldMeta } from './fields.ts'
export { checkLayer, leavesOf, mergeLayers, readKey, writeKey, type JsonValue, type Layer } from './layer.ts'
export { detectFormat, loadConfigFile, type Format, type LoadedFile } from './load-file.ts'
export { loadConfig, resolveConfig, type Loaded } from './load.ts'
export { describeKeys, type KeyManual } from './manual.ts'
export { printProblem, type Problem } from './problem.ts'
export { redact } from './redact.ts'
export {
  edgeConfigSchema,
  steerableSections,
  type EdgeConfig,
  type ListenerConfig,
  type PoolConfig,
  type RouteConfig,
  type UpstreamConfig,
} from './schema.ts'
export { parseValue, readYaml } from './yaml.ts'
