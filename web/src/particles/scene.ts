// The particles by WebGL: buffers are filled straight from the memory that they are computed in.
import { BufferAttribute, BufferGeometry, Color, DynamicDrawUsage, PerspectiveCamera, Points, Scene, ShaderMaterial, WebGLRenderer } from 'three'
import { half, type Picture } from './simulation.ts'

const shape = `
  uniform float size;
  varying float depth;
  void show(vec3 place) {
    vec4 seen = modelViewMatrix * vec4(place, 1.0);
    depth = -seen.z;
    gl_PointSize = size / depth;
    gl_Position = projectionMatrix * seen;
  }
`
/** Six runs of numbers, of which three are places; and places as they were sent, from 0 to 1. */
const own = `${shape} attribute float x; attribute float y; attribute float z; void main() { show(vec3(x, y, z)); }`
const sent = `${shape} attribute vec3 place; void main() { show((place * 2.0 - 1.0) * vec3(${half.map((number) => number.toFixed(3)).join(', ')})); }`
const colour = `
  uniform vec3 near;
  uniform vec3 far;
  varying float depth;
  void main() {
    vec2 at = gl_PointCoord - 0.5;
    if (dot(at, at) > 0.25) discard;
    gl_FragColor = vec4(mix(near, far, clamp((depth - 4.0) / 4.0, 0.0, 1.0)), 1.0);
    #include <colorspace_fragment>
  }
`

export interface ParticleScene {
  draw(picture: Picture): void
  /** Colours of the theme. */
  paint(near: string, far: string, ground: string): void
  resize(): void
  close(): void
}

type Numbers = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>

/** Throws where there is no WebGL. */
export function createScene(canvas: HTMLCanvasElement, turns: boolean): ParticleScene {
  const renderer = new WebGLRenderer({ canvas, antialias: false, powerPreference: 'low-power' })
  const camera = new PerspectiveCamera(45, 1, 0.1, 20)
  const scene = new Scene()
  const uniforms = { size: { value: 8 }, near: { value: new Color() }, far: { value: new Color() } }
  const points = new Points(new BufferGeometry(), new ShaderMaterial({ uniforms, fragmentShader: colour, vertexShader: own }))
  points.frustumCulled = false
  scene.add(points)
  let shown = ''
  let angle = 0.5

  /** The numbers themselves, no copy: what the graphics card is given is the module's memory. */
  function set(name: string, numbers: Numbers, size: number): void {
    const found = points.geometry.getAttribute(name) as BufferAttribute | undefined
    const attribute = found ?? new BufferAttribute(numbers, size, size > 1).setUsage(DynamicDrawUsage)
    attribute.array = numbers // another view when the memory has grown
    attribute.needsUpdate = true
    if (!found) points.geometry.setAttribute(name, attribute)
  }

  return {
    draw(picture) {
      const count = 'own' in picture ? picture.own.count : picture.count
      const kind = `${'own' in picture ? 'own' : 'sent'} ${count}`
      if (kind !== shown) {
        points.geometry.dispose()
        points.geometry = new BufferGeometry()
        points.geometry.setDrawRange(0, count)
        points.material.vertexShader = 'own' in picture ? own : sent
        points.material.needsUpdate = true
        shown = kind
      }
      if ('own' in picture) picture.own.places.forEach((numbers, axis) => set('xyz'[axis]!, numbers, 1))
      else set('place', picture.sent, 3)
      if (turns) angle += 0.002
      const distance = 6 * Math.max(1, 1.5 / camera.aspect) // all of the box, in a narrow window too
      camera.position.set(Math.sin(angle) * distance, distance / 5, Math.cos(angle) * distance)
      camera.lookAt(0, 0, 0)
      renderer.render(scene, camera)
    },
    paint(near, far, ground) {
      uniforms.near.value.set(near)
      uniforms.far.value.set(far)
      renderer.setClearColor(new Color(ground))
    },
    resize() {
      const { clientWidth, clientHeight } = canvas
      renderer.setPixelRatio(Math.min(devicePixelRatio, 2))
      renderer.setSize(clientWidth, clientHeight, false)
      camera.aspect = clientWidth / clientHeight
      camera.updateProjectionMatrix()
      uniforms.size.value = (clientHeight * Math.min(devicePixelRatio, 2)) / 45
    },
    close() {
      points.geometry.dispose()
      points.material.dispose()
      renderer.dispose()
    },
  }
}
