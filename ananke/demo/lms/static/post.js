document.forms.post.submit();
