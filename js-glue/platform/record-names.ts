// What is known of the database of records before any code for it is loaded.

const format = 1

/** The database of a store's compute records. */
export const recordsOf = (name: string): string => `tabmesh:compute:${format}:${name}`
