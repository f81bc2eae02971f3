// Finds or fetches the Emscripten named in emsdk-version.txt. Three ways, the first that serves:
//   1. an emcc of that version on PATH or under $EMSDK;
//   2. emsdk, where its hosts can be reached (TABMESH_NO_EMSDK=1 skips the try);
//   3. Debian testing's own packages, unpacked into the user's cache so that the system stays as it is.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, readSync, closeSync, readdirSync, renameSync, rmSync, writeFileSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './debian.mjs'
import { cacheFolder, has, root, run, say, step, StepError } from './run.mjs'

const wanted = readFileSync(join(root, 'emsdk-version.txt'), 'utf8').trim()
const home = join(cacheFolder, `emscripten-${wanted}`)

/** Version of an emcc, or '' if it does not run. */
function versionOf(emcc, env = {}) {
  const { status, stdout } = spawnSync(emcc, ['--version'], { env: { ...process.env, ...env }, encoding: 'utf8' })
  return status === 0 ? (/(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? '') : ''
}

/** { folder with emcc, extra environment } of the toolchain; installs it when it is not there yet. */
export async function ensureEmscripten() {
  const found = installed()
  if (found) {
    say(`Emscripten ${found.version}: ${found.from}`)
    return found
  }
  const fetched = (await fromEmsdk()) ?? (await fromDebian())
  if (!fetched) throw new StepError(`No Emscripten ${wanted}. Install it with emsdk (https://emscripten.org/docs/getting_started/downloads.html) and put emcc on PATH, then run the command again.`)
  return fetched
}

function installed() {
  for (const folder of ['', process.env.EMSDK && join(process.env.EMSDK, 'upstream', 'emscripten'), join(home, 'emsdk', 'upstream', 'emscripten')]) {
    if (folder === undefined) continue
    const emcc = folder ? join(folder, 'emcc') : 'emcc'
    if (folder ? existsSync(emcc) : has('emcc')) {
      if (versionOf(emcc) === wanted) return { bin: folder, env: {}, version: wanted, from: folder || 'on PATH' }
    }
  }
  return debianToolchain()
}

async function fromEmsdk() {
  if (process.env.TABMESH_NO_EMSDK) return undefined
  const folder = join(home, 'emsdk')
  try {
    await step(`fetching Emscripten ${wanted} by emsdk`, async () => {
      mkdirSync(home, { recursive: true })
      rmSync(folder, { recursive: true, force: true })
      await run('git', ['-c', 'http.connectTimeout=10', 'clone', '--depth', '1', 'https://github.com/emscripten-core/emsdk.git', folder], { capture: true })
      await run(join(folder, 'emsdk'), ['install', wanted], { capture: true })
      await run(join(folder, 'emsdk'), ['activate', wanted], { capture: true })
    })
    return installed()
  } catch {
    rmSync(folder, { recursive: true, force: true })
    say('emsdk cannot be reached from here; taking the next way')
    return undefined
  }
}

/** The mirror of the machine's own Debian sources. */
function debianMirror() {
  const files = ['/etc/apt/sources.list', ...(existsSync('/etc/apt/sources.list.d') ? readdirSync('/etc/apt/sources.list.d').map((name) => join('/etc/apt/sources.list.d', name)) : [])]
  for (const file of files.filter((name) => existsSync(name))) {
    const match = /^(?:URIs:|deb(?: \[[^\]]*\])?)\s*(https?:\/\/\S*debian\/?)(?:\s|$)/m.exec(readFileSync(file, 'utf8'))
    if (match && !match[1].includes('security')) return match[1]
  }
  return undefined
}

function debianToolchain() {
  const config = join(home, 'config')
  const bin = join(home, 'root', 'usr', 'share', 'emscripten')
  if (!existsSync(join(home, 'complete'))) return undefined
  const env = { EM_CONFIG: config }
  return { bin, env, version: versionOf(join(bin, 'emcc'), env), from: home }
}

async function fromDebian() {
  const mirror = debianMirror()
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch]
  if (process.platform !== 'linux' || !mirror || !arch || !has('apt-get')) return undefined
  if (!has('patchelf')) await installPackages(['patchelf'])
  const work = `${home}.partial`
  rmSync(work, { recursive: true, force: true })
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'etc', 'root', 'em-cache']) mkdirSync(join(work, folder), { recursive: true })
  writeFileSync(join(work, 'etc', 'sources.list'), `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} forky main\n`)
  const apt = ['-o', `Dir::Etc::sourcelist=${work}/etc/sources.list`, '-o', 'Dir::Etc::sourceparts=/dev/null', '-o', `Dir::State=${work}/state`, '-o', 'Dir::State::status=/dev/null',
    '-o', `Dir::Cache=${work}/cache`, '-o', 'APT::Sandbox::User=root', '-o', `APT::Architecture=${arch}`, '-o', 'APT::Get::List-Cleanup=0', '-o', 'Debug::NoLocking=1']
  await step(`fetching Emscripten ${wanted} from Debian's packages (about 170 MB)`, async () => {
    await run('apt-get', [...apt, 'update', '-qq'], { capture: true, hint: 'Is the Debian mirror reachable?' })
    await run('apt-get', [...apt, 'install', '-y', '-qq', '--no-install-recommends', '--download-only', 'emscripten'], { capture: true })
  })
  await step('unpacking it into the cache (about 600 MB)', async () => {
    const archives = join(work, 'cache', 'archives')
    const lentBySystem = /^(python3|libpython3|nodejs|libnode)/
    for (const name of readdirSync(archives)) if (name.endsWith('.deb') && !lentBySystem.test(name)) await run('dpkg', ['-x', join(archives, name), join(work, 'root')], { capture: true })
    cpSync(join(work, 'root', 'usr', 'share', 'nodejs'), join(work, 'root', 'usr', 'share', 'emscripten', 'node_modules'), { recursive: true, dereference: true })
    rmSync(join(work, 'cache'), { recursive: true })
    rmSync(join(work, 'state'), { recursive: true })
  })
  // The folder is moved into place only when whole; paths inside the programs name its final place.
  rmSync(home, { recursive: true, force: true })
  renameSync(work, home)
  await step('pointing its programs at its own libraries', () => patchPrograms(join(home, 'root')))
  writeConfig()
  writeFileSync(join(home, 'complete'), '')
  const toolchain = debianToolchain()
  if (toolchain.version !== wanted) say(`WARNING: Debian testing now has Emscripten ${toolchain.version || '(unknown)'}, emsdk-version.txt wants ${wanted}. Using what there is; figures may differ.`)
  return toolchain
}

/** Whether a file is an ELF program or shared library (e_type 2 or 3; the ELF header is in man 5 elf). */
function isElf(file) {
  const head = Buffer.alloc(18)
  const handle = openSync(file, 'r')
  readSync(handle, head, 0, 18, 0)
  closeSync(handle)
  return head.toString('latin1', 0, 4) === '\x7fELF' && (head[16] === 2 || head[16] === 3)
}

/** Gives every ELF file of the unpacked tree that tree's own loader and library path. */
async function patchPrograms(tree) {
  const triplet = process.arch === 'x64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu'
  const llvm = readdirSync(join(tree, 'usr', 'lib')).find((name) => /^llvm-\d+$/.test(name))
  const libraries = [join(tree, 'usr', 'lib', triplet), join(tree, 'usr', 'lib', llvm, 'lib')]
  const loader = [join(tree, 'usr', 'lib', triplet), join(tree, 'usr', 'lib64'), join(tree, 'lib64'), join(tree, 'usr', 'lib')]
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('ld-linux-')).map((name) => join(folder, name)) : []))[0]
  const untouched = /^(libc\.so\.6|ld-linux.*)$/
  for (const folder of [join(tree, 'usr', 'bin'), join(tree, 'usr', 'lib', llvm, 'bin'), ...libraries]) {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      if (untouched.test(name) || !lstatSync(file).isFile() || !isElf(file)) continue
      chmodSync(file, 0o755)
      const program = folder.endsWith('bin') ? ['--set-interpreter', loader] : []
      await run('patchelf', [...program, '--force-rpath', '--set-rpath', libraries.join(':'), file], { capture: true })
    }
  }
}

function writeConfig() {
  const usr = join(home, 'root', 'usr')
  const llvm = readdirSync(join(usr, 'lib')).find((name) => /^llvm-\d+$/.test(name))
  writeFileSync(join(home, 'config'), [
    `EMSCRIPTEN_ROOT = '${join(usr, 'share', 'emscripten')}'`,
    `LLVM_ROOT = '${join(usr, 'lib', llvm, 'bin')}'`,
    `BINARYEN_ROOT = '${usr}'`,
    `NODE_JS = '${process.execPath}'`,
    `CACHE = '${join(home, 'em-cache')}'`,
    '',
  ].join('\n'))
}
