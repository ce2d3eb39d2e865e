/** `edge`: which edge this is. Only the host's own file sets it. */
import { z } from 'zod'
import { restartField, entryName } from '../fields.ts'

export const edgeSection = z
  .strictObject({
    id: restartField(entryName.default('edge'), 'Name of this edge. It must be unique in the fleet.'),
    region: restartField(
      entryName.default('default'),
      'Region that this edge belongs to. Configuration and orders can be sent to a whole region.',
    ),
  })
  .prefault({})
