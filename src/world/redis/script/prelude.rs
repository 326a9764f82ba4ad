//! The part of the sandbox that is easiest said in Lua.

/// Builds the globals of scripts from the libraries of a fresh state and the functions of the host, and returns
/// them with the function that runs a script.
///
/// Every table that outlives a script is hidden behind an empty, locked one, so that no script can leave a trace.
pub(super) const PRELUDE: &str = r#"
local host, base, strings = ...
local error, type, select, setmetatable = error, type, select, setmetatable
local raw_pcall, raw_xpcall, raw_set, raw_get, raw_next = pcall, xpcall, rawset, rawget, next
local raw_load, raw_tostring, raw_getmetatable, raw_pairs = load, tostring, getmetatable, pairs
local locked = {}

local function lock(content, on_missing)
    local proxy = {}
    local readonly = function() error('Attempt to modify a readonly table', 2) end
    setmetatable(proxy, {__index = on_missing or content, __newindex = readonly, __metatable = false})
    locked[proxy] = content
    return proxy
end

local function caught(ok, problem, ...)
    if ok then return ok, problem, ... end
    return false, host.explain(problem)
end

local visible = {}
for _, name in raw_pairs({'assert', 'error', 'ipairs', 'rawequal', 'select', 'setmetatable', 'tonumber',
    'type', 'unpack', '_VERSION'}) do
    visible[name] = base[name]
end
visible.pcall = function(...) return caught(raw_pcall(...)) end
visible.xpcall = function(body, handler)
    return caught(raw_xpcall(body, function(problem) return handler(host.explain(problem)) end))
end
visible.rawset = function(target, key, value)
    if locked[target] then error('Attempt to modify a readonly table', 0) end
    return raw_set(target, key, value)
end
visible.rawget = function(target, key) return raw_get(locked[target] or target, key) end
visible.next = function(target, key) return raw_next(locked[target] or target, key) end
visible.pairs = function(target) return raw_pairs(locked[target] or target) end
visible.getmetatable = raw_getmetatable
visible.tostring = function(value, ...)
    local kind = type(value)
    local meta = kind == 'table' and raw_getmetatable(value)
    if kind == 'function' or (kind == 'table' and not (meta and meta.__tostring)) then
        error('tostring of a ' .. kind .. ' shows its address, which differs from run to run', 2)
    end
    return raw_tostring(value, ...)
end
visible.loadstring = function(text, name)
    if type(text) == 'string' and text:byte(1) == 27 then return nil, 'bytecode is not accepted' end
    return base.loadstring(text, name)
end
visible.load = function(reader, name)
    local pieces = {}
    while true do
        local piece = reader()
        if piece == nil or piece == '' then break end
        pieces[#pieces + 1] = piece
    end
    return visible.loadstring(base.table.concat(pieces), name or '=(load)')
end

local function copy(library, without)
    local content = {}
    for name, value in raw_pairs(library) do content[name] = value end
    for _, name in raw_pairs(without) do content[name] = nil end
    return content
end
visible.table = lock(copy(base.table, {}))
local text = copy(base.string, {'dump'})
visible.string = lock(text)
local math = copy(base.math, {})
math.random, math.randomseed = host.random, host.randomseed
visible.math = lock(math)
visible.redis = lock(host.redis)
strings.__index, strings.__metatable = text, false

local globals
globals = lock(visible, function(_, name)
    local value = visible[name]
    if value == nil then
        error("Script attempted to access nonexistent global variable '" .. raw_tostring(name) .. "'", 2)
    end
    return value
end)
visible._G = globals

local function run(script) return raw_xpcall(script, host.locate) end
return globals, visible, run
"#;
