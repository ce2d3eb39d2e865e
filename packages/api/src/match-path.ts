/** Matches paths of pages: `/edges/:id` matches `/edges/eu-1` with `{ id: 'eu-1' }`. */

export type PathParams = Readonly<Record<string, string>>

export function matchPath(pattern: string, path: string): PathParams | undefined {
  const wanted = pattern.split('/')
  const given = path.replace(/(?<=.)\/$/, '').split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? ''
    if (part.startsWith(':')) {
      const value = decoded(text)
      if (value === undefined || value === '') return undefined
      params[part.slice(1)] = value
    } else if (part !== text) return undefined
  }
  return params
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
