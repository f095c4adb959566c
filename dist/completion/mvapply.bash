# bash completion of mvapply: mvapply itself says what a word could be.
_mvapply() {
	# As the user wrote them, with quotes and backslashes.
	local line words=("${COMP_WORDS[@]:1:COMP_CWORD}")
	words=("${words[@]//[\\\"\']/}")
	local word=${words[COMP_CWORD - 1]}
	[ "$word" = = ] && word=
	COMPREPLY=()
	while IFS= read -r line; do
		if [ "$line" = :path ]; then
			compopt -o filenames 2>/dev/null
			while IFS= read -r line; do
				COMPREPLY+=("$line")
			done < <(compgen -f -- "$word")
		else
			COMPREPLY+=("${line%%$'\t'*}")
		fi
	done < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
}
complete -F _mvapply mvapply
