export function chromiumPath(): string
export function firefoxPath(): string
export function webkitPaths(): { driver: string; browser: string }
