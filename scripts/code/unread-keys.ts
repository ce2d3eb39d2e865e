/**
 * The edge reads each key of its configuration. The type checker decides what a line reads, so reading `port` of a
 * listener does not count as reading `port` of an upstream.
 */
import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeKeys } from '@imapfleet/config'
import type { Node } from 'typescript/unstable/ast'
import { isIdentifier, isObjectBindingPattern, isPropertyAccessExpression } from 'typescript/unstable/ast/is'
import { API, type Project, type Symbol, type Type } from 'typescript/unstable/sync'
import type { Complaint } from '../page.ts'

const schema = 'packages/config/src/schema.ts'
const sections = '/packages/config/src/sections/'
const readers = 'apps/edge-proxy/src'

export function unreadKeys(): Complaint[] {
  const api = new API({ cwd: process.cwd() })
  try {
    const snapshot = api.updateSnapshot({ openProjects: [resolve('tsconfig.json')] })
    const project = snapshot.getProjects()[0]!
    const read = declarationsRead(project)
    return keysOf(project)
      .filter(({ symbol }) => !read.has(declarationOf(symbol)))
      .map(({ key, symbol }) => ({
        ...placeOf(project, symbol),
        message: `${key} is read nowhere in ${readers}; read it there, or remove the key`,
      }))
  } finally {
    api.close()
  }
}

/** Every key with its property in the type EdgeConfig. */
function keysOf({ checker, program }: Project): { key: string; symbol: Symbol }[] {
  const { text } = program.getSourceFile(resolve(schema))!
  const alias = checker.getSymbolAtPosition(resolve(schema), text.indexOf('EdgeConfig ='))!
  const entryOf = (type: Type) => checker.getIndexInfosOfType(type)[0]!.valueType
  return describeKeys().map(({ key }) => {
    let type = checker.getDeclaredTypeOfSymbol(alias)
    let symbol = alias
    for (const part of key.split('.')) {
      if (part === 'NAME') {
        type = entryOf(type)
        continue
      }
      symbol = checker.getPropertyOfType(type, part.replace('[]', ''))!
      type = checker.getTypeOfSymbol(symbol)!
      if (part.endsWith('[]')) type = entryOf(type)
    }
    return { key, symbol }
  })
}

/** The declarations of the properties that the edge reads. Tests do not count. */
function declarationsRead(project: Project): Set<string> {
  const files = globSync(`${readers}/**/*.ts`).filter((file) => !/\.test(-support)?\.ts$/.test(file))
  const known = new Map<number, boolean>()
  const isSection = (type: Type): boolean => {
    const answer = known.get(type.id) ?? hasKeys(type, project)
    known.set(type.id, answer)
    return answer
  }
  return new Set(files.flatMap((file) => symbolsReadIn(file, project, isSection)).map(declarationOf))
}

/** Whether its properties are keys of a section, and not of a similar interface of the edge. */
const hasKeys = (type: Type, { checker }: Project): boolean =>
  checker.getPropertiesOfType(type).some((symbol) => declarationOf(symbol).includes(sections))

function symbolsReadIn(
  file: string,
  { checker, program }: Project,
  isSection: (type: Type) => boolean,
): Symbol[] {
  const nodes = nodesBelow(program.getSourceFile(resolve(file))!)
  // config.pool.usesMax
  const accessed = checker.getSymbolAtLocation(
    nodes.filter(isPropertyAccessExpression).map(({ name }) => name),
  )
  // const { usesMax } = config.pool
  const destructured = nodes.filter(isObjectBindingPattern).flatMap((pattern) => {
    const type = checker.getTypeAtLocation(pattern)
    return pattern.elements.map(
      ({ propertyName, name }) => type && checker.getPropertyOfType(type, (propertyName ?? name)!.getText()),
    )
  })
  // new Log(config.log), whose parameter is an interface with some keys of the section
  const values = nodes.filter((node) => isPropertyAccessExpression(node) || isIdentifier(node))
  const passed = checker.getTypeAtLocation(values).flatMap((type, index) => {
    if (!type || !isSection(type)) return []
    const expected = checker.getContextualType(values[index]!)
    if (!expected || isSection(expected)) return []
    return checker.getPropertiesOfType(expected).map(({ name }) => checker.getPropertyOfType(type, name))
  })
  return [...accessed, ...destructured, ...passed].filter((symbol) => symbol !== undefined)
}

function nodesBelow(node: Node): Node[] {
  const nodes: Node[] = []
  const visit = (each: Node): void => {
    nodes.push(each)
    each.forEachChild(visit)
  }
  visit(node)
  return nodes
}

/** Tells declarations apart, also where a mapped type such as `Pick` made another symbol of one. */
function declarationOf({ declarations: [first] }: Symbol): string {
  return first ? `${first.path}#${first.index}` : ''
}

function placeOf(project: Project, symbol: Symbol): { file: string; line: number } {
  const [declaration] = symbol.declarations
  const { text } = project.program.getSourceFile(declaration!.path)!
  const at = text.indexOf(symbol.name, declaration!.resolve(project)!.pos)
  const file = declaration!.path.slice(declaration!.path.lastIndexOf(sections) + 1)
  return { file, line: text.slice(0, at).split('\n').length }
}
