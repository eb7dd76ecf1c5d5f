# Stands for the script: says what it would, and makes no call.
echo '{"evaluated": 40, "expired": 8}'
