/**
 * `@peculiar/x509` keeps its parts in a dependency-injection container that refuses to load without the
 * metadata functions of the decorators proposal. These are the few that it calls; a full polyfill that is
 * there already is left alone.
 */
type Metadata = Map<unknown, unknown>;
interface WithMetadata {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

const reflect = Reflect as WithMetadata;
if (reflect.getMetadata === undefined) {
  const all = new WeakMap<object, Metadata>();
  const own = (key: unknown, target: object): unknown => all.get(target)?.get(key);
  reflect.getOwnMetadata = own;
  reflect.getMetadata = (key, target) => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const value = own(key, at);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  reflect.defineMetadata = (key, value, target) => {
    const of = all.get(target) ?? new Map<unknown, unknown>();
    all.set(target, of.set(key, value));
  };
}
