/**
 * Directories with files that belong to control: the migrations and the built console. A bundle has them beside itself, the
 * sources where they are made.
 */

const here = import.meta.dirname
const isBundle = !import.meta.filename.endsWith('.ts')

export const migrationsDirectory = isBundle ? `${here}/drizzle` : `${here}/../../drizzle`
export const builtConsole = isBundle ? `${here}/console` : `${here}/../../../console/dist`
