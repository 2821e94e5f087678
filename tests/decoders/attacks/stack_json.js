// Stack: JSON a hundred thousand deep, read and written.
// expect: exception | bad_result | too_large
function decodeUplink(input) {
  return {data: JSON.parse('['.repeat(100000) + ']'.repeat(100000))};
}
