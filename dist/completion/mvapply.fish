# fish completion of mvapply: mvapply itself says what a word could be.
function __mvapply_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l word (commandline --current-token)
    for line in ($words[1] complete -- $words[2..-1] "$word" 2>/dev/null)
        if test "$line" = :path
            __fish_complete_path "$word"
        else
            echo $line
        end
    end
end
complete --command mvapply --no-files --arguments '(__mvapply_complete)'
