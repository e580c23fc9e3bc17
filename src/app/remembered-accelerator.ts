/** What `--accel auto` chose on this host for this image before, for people; undefined if it was not asked yet. */
export function rememberedAccelerator(_dataDir: string, _image: string): Promise<string | undefined> {
  return Promise.resolve(undefined);
}
