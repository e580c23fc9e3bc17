# Reads imports.txt, then the header that wasm2c wrote of a module, and writes module.inc for service.cpp: operations, allocator, and what
# else a module says by its exports. Then the module's C, for the size of its memory. Whatever does not fit is told by name, a line each.
function complain(what) { complaints[++bad] = what }

# "u32 Z_svcZ_name(Z_svc_instance_t*, u32, u32);" -> result, symbol, parameters
function take_prototype(line, at) {
  at = index(line, "(")
  if (at == 0) { result = line; parameters = ""; return } # a memory, a table or a global that is imported
  parameters = substr(line, at + 1)
  sub(/\);.*$/, "", parameters)
  result = substr(line, 1, at - 1)
  symbol = result
  sub(/^.* /, "", symbol)
  sub(/ [^ ]*$/, "", result)
  if (index(parameters, ", ")) { sub(/^[^,]*, /, "", parameters) } else { parameters = "" }
}

function kind() {
  if (result ~ /wasm_rt_memory_t/) return "a memory"
  if (result ~ /wasm_rt_.*table_t/) return "a table"
  if (result ~ /\*/) return "a global"
  return "a function (" parameters ") -> " result
}

FNR == 1 { file++ }
file == 1 && /^#/ { next }
file == 1 {
  wanted = $0
  sub(/^[^ ]+ [^ ]+ [^ ]+ ?/, "", wanted)
  known[$1 "." $2] = $3 " (" wanted ")"
  available = available (available == "" ? "" : ", ") $1 "." $2
  next
}

file == 2 && /^ *\/\* import: '/ {
  name = $0
  sub(/^ *\/\* import: '/, "", name)
  sub(/' \*\/$/, "", name)
  sub(/' '/, ".", name)
  getline
  take_prototype($0)
  if (!(name in known)) {
    unknown = unknown (unknown == "" ? "" : ", ") name " (" kind() ")"
  } else if (known[name] != result " (" parameters ")") {
    complain("the module imports " name " as " kind() ", and a guest has it as " known[name])
  }
  next
}

file == 2 && /^\/\* export: '/ {
  name = $0
  sub(/^\/\* export: '/, "", name)
  sub(/' \*\/$/, "", name)
  getline
  take_prototype($0)
  if (name == "memory") {
    if (result !~ /wasm_rt_memory_t/) complain("the export memory is no memory")
    memory = symbol
  } else if (name == "shoal_alloc") {
    if (result " (" parameters ")" != "u32 (u32)") complain("the export shoal_alloc must be (i32) -> i32")
    allocator = symbol
  } else if (name ~ /^shoal_op_/) {
    operation = substr(name, 10)
    if (operation !~ /^[a-z0-9._-]+$/ || length(operation) > 64) {
      complain("the name of the operation '" operation "' must be 1 to 64 of a-z, 0-9, '.', '_' and '-'")
    }
    if (result " (" parameters ")" != "u64 (u32, u32)") complain("the operation " name " must be (i32, i32) -> i64, and is " kind())
    operations = operations " \\\n  {\"" operation "\", run<" symbol ">},"
    count++
  } else if (name == "shoal_idempotent" || name == "shoal_keeps_state" || name == "shoal_payload_bytes") {
    if (result " (" parameters ")" != "void ()") complain("the export " name " must be a function without parameters and result; that it is there says yes")
    says[name] = 1
  } else if (name == "_initialize") {
    if (result " (" parameters ")" != "void ()") complain("the export _initialize must be a function without parameters and result")
    initialize = symbol
  } else if (name ~ /^shoal_/) {
    complain("the export " name " means nothing; exports that begin with shoal_ are shoal_alloc, shoal_op_NAME, shoal_idempotent, shoal_keeps_state, shoal_payload_bytes")
  }
  next
}

file == 2 && /_init_module\(void\);/ { init_module = $2; sub(/\(.*/, "", init_module) }
file == 2 && /_instantiate\(/ {
  instantiate = $2
  sub(/\(.*/, "", instantiate)
  links = gsub(/\*,/, "&")
}
file == 2 && /^} Z_.*_instance_t;/ { instance = $2; sub(/;/, "", instance) }

# "wasm_rt_allocate_memory(&instance->w2c_memory, 2, 10);" of 64 KiB each
file == 3 && /^  wasm_rt_allocate_memory\(/ { split($0, allocation, /, /); pages = allocation[2] + 0 }

END {
  if (memory == "") complain("the module has no export memory")
  if (allocator == "") complain("the module has no export shoal_alloc, (i32) -> i32")
  if (count == 0) complain("the module has no operation: an export shoal_op_NAME, (i32, i32) -> i64")
  if (count > 64) complain("the module has " count " operations, and 64 are the most")
  if (pages > 4096) complain("the module's memory begins with " pages / 16 " MiB, and 256 MiB are the most")
  if (unknown != "") complain("the module imports " unknown ", which a guest does not have; it has " available)
  for (i = 1; i <= bad; i++) print "includeos: " complaints[i] >"/dev/stderr"
  if (bad) exit 1
  for (i = 0; i < links; i++) nulls = nulls ", nullptr"
  print "#define SHOAL_WASM_INSTANCE " instance
  print "#define SHOAL_WASM_INIT_MODULE " init_module
  print "#define SHOAL_WASM_INSTANTIATE(instance) " instantiate "(instance" nulls ")"
  print "#define SHOAL_WASM_INITIALIZE(instance) " (initialize != "" ? initialize "(instance)" : "static_cast<void>(instance)")
  print "#define SHOAL_WASM_ALLOC " allocator
  print "#define SHOAL_WASM_OPERATIONS(run)" operations
  print "#define SHOAL_WASM_IDEMPOTENT " ("shoal_idempotent" in says ? "true" : "false")
  print "#define SHOAL_WASM_KEEPS_STATE " ("shoal_keeps_state" in says ? "true" : "false")
  print "#define SHOAL_WASM_TRACKS " (pages >= 16 ? 1 : 0)
  print "#define SHOAL_WASM_BYTES " ("shoal_payload_bytes" in says ? "true" : "false")
}
