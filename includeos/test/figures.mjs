// What the tests know of the images that Shoal builds, and what is neither the contract's nor the profile's.

/** By the name of the profile. */
export const knownFigures = {
  'built-in': {
    leastMib: 4, // enough for texts of 64 KiB
    tooLargeMax: 1048576, // too much for so little
    panic: '\npanic: exception 14 code=6 rip=[0-9a-f]+ address=0\n',
    build: 'build.sh', // with --service and --image
  },
  includeos: {
    leastMib: 22,
    roomyMib: 40, // enough to count a million different words; without it, the profile's memory is
    tooLargeMax: 67_000_000,
    panic: 'Reason: ',
    build: 'includeos/build.sh',
  },
};
