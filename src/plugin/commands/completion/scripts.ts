/** What a shell needs to ask `nodeops __complete`. kubectl asks its own shim, an executable on the PATH. */

export const shimName = 'kubectl_complete-nodeops';

/** Absolute path of the plugin in single quotes: the shim must find it whatever the PATH is. */
export function shim(plugin: string): string {
  return `#!/bin/sh\nexec '${plugin.replaceAll("'", "'\\''")}' __complete "$@"\n`;
}

export const scripts = {
  bash: `_nodeops() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in :*) ;; *) COMPREPLY+=("\${line%%$'\\t'*}") ;; esac
  done < <(nodeops __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _nodeops nodeops
`,
  zsh: `#compdef nodeops
_nodeops() {
  local -a found
  local line
  for line in "\${(@f)$(nodeops __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ $line == :* || -z $line ]] || found+=("\${\${line/:/\\\\:}/$'\\t'/:}")
  done
  _describe nodeops found
}
compdef _nodeops nodeops
`,
  fish: `complete -c nodeops -f -a '(nodeops __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null | string match -v ":*")'
`,
} as const;

export type Shell = keyof typeof scripts;
